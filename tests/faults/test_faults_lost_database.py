"""PostgreSQL crashes, falls silent, or cuts connections: the server says so, agents go on, it heals by itself."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2
import pytest

from live_server import LiveServer, until
from postgres_cluster import Cluster
from sac_core.client.surface import HttpSac
from sac_core.contracts.sac import Terminal
from sac_core.errors import SacError, UnavailableError
from sac_core.wire.terminal import Output


@pytest.fixture
async def served(tmp_path: Path, own_postgres: Cluster) -> AsyncIterator[LiveServer]:
    """A server on a database that a test may crash."""
    server = LiveServer(tmp_path / "data")
    server.env["SAC_DATABASE"] = own_postgres.database()
    try:
        await server.start()
        yield server
    finally:
        server.end()


async def readiness(server: LiveServer) -> tuple[int, str]:
    """The status and the reason of `/readyz`."""
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False, timeout=20) as http:
        answer = await http.get("/readyz")
    return answer.status_code, answer.json().get("reason", "")


async def lives(server: LiveServer) -> bool:
    """Whether `/livez` answers at once."""
    began = time.monotonic()
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False, timeout=20) as http:
        return (await http.get("/livez")).status_code == 200 and time.monotonic() - began < 2


async def heals(server: LiveServer) -> None:
    """Ready again, without a restart of anything."""

    async def ready() -> bool:
        return (await readiness(server))[0] == 200

    await until(ready, seconds=30)


async def echoed(terminal: Terminal, text: bytes) -> None:
    """What is typed comes back."""
    await terminal.write(text + b"\n")
    seen = b""
    with anyio.fail_after(10):
        async for event in terminal:
            seen += event.data if isinstance(event, Output) else b""
            if seen.count(text) == 2:
                return


async def refused(sac: HttpSac) -> UnavailableError:
    """How a create is refused."""
    with pytest.raises(UnavailableError) as caught:
        await sac.agents.create("never")
    return caught.value


async def test_a_crash_is_told_terminals_go_on_and_nothing_acknowledged_is_lost(
    served: LiveServer, own_postgres: Cluster
) -> None:
    async with served.client() as sac:
        await sac.agents.create("a1")
        before = await sac.agents.wait("a1", timeout=20)
        session = (await sac.sessions.create("a1", command=["cat"])).metadata.name
        holder = served.holders()[0].pid
        async with sac.sessions.attach(session) as terminal:
            await anyio.to_thread.run_sync(own_postgres.stop)
            assert await readiness(served) == (503, "StorageLost")
            assert await lives(served)
            error = await refused(sac)
            assert error.reason == "StorageLost"
            assert error.retry_after
            await echoed(terminal, b"still here")
            await anyio.to_thread.run_sync(own_postgres.start)
            await heals(served)
            await echoed(terminal, b"and here")
        await sac.agents.create("a2")
        await sac.agents.wait("a2", timeout=30)
        after = await sac.agents.get("a1")
        assert (after.metadata.uid, after.status.phase, after.status.restarts) == (before.metadata.uid, "Running", 0)
        assert holder in [process.pid for process in served.holders()]
        assert (await sac.sessions.get(session)).status.phase == "Running"
        assert "Traceback" not in served.said


async def test_silence_is_told_soon_and_ends_well(served: LiveServer, own_postgres: Cluster) -> None:
    async with served.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        session = (await sac.sessions.create("a1", command=["cat"])).metadata.name
        async with sac.sessions.attach(session) as terminal:
            with own_postgres.frozen():
                began = time.monotonic()
                assert await readiness(served) == (503, "StorageLost")
                assert time.monotonic() - began < 10
                assert await lives(served)
                await echoed(terminal, b"still here")
            await heals(served)
        assert (await sac.agents.get("a1")).status.restarts == 0
        await sac.agents.create("a2")
        await sac.agents.wait("a2", timeout=30)
        assert "Traceback" not in served.said


async def test_cut_connections_are_made_again(served: LiveServer, own_postgres: Cluster) -> None:
    told = set[str]()
    async with served.client() as sac:
        for number in range(5):
            await anyio.to_thread.run_sync(own_postgres.cut)
            name = f"a{number}"

            async def made(name: str = name) -> bool:
                try:
                    await sac.agents.create(name, idempotency_key=name)
                except SacError as error:
                    told.add(error.reason)
                    return False
                return True

            await until(made, seconds=15)
        assert told <= {"StorageLost", "StorageUnknown"}
        for number in range(5):
            await sac.agents.wait(f"a{number}", timeout=30)
        assert len((await sac.agents.list()).items) == 5
        assert await readiness(served) == (200, "")
        assert "Traceback" not in served.said
