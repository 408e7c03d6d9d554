"""Two server processes on one PostgreSQL: they share agents, serve each other's sessions, and replace each other."""

from __future__ import annotations

import base64
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import psutil
import pytest

from live_server import LiveServer, until
from postgres_cluster import Cluster
from sac_core.client.surface import HttpSac
from sac_core.contracts.sac import Terminal
from sac_core.errors import NotFoundError
from sac_core.wire.terminal import Output, RoleChanged

LEASE = 3.0


@dataclass
class Pair:
    """Two servers with data directories of their own, one database, one folder of bodies and one root key."""

    folder: Path
    cluster: Cluster
    url: str
    first: LiveServer = field(init=False)
    second: LiveServer = field(init=False)

    def __post_init__(self) -> None:
        self.folder.joinpath("key").write_bytes(base64.b64encode(b"k" * 32))
        self.first, self.second = self._server("one"), self._server("two")

    def _server(self, name: str) -> LiveServer:
        server = LiveServer(self.folder / name)
        server.env |= {
            "SAC_DATABASE": self.url,
            "SAC_KEYS_FILE": str(self.folder / "key"),
            "SAC_PLUGINS": json.dumps({"process": {"folder": str(self.folder / "shared")}}),
            "SAC_LEASE": f"{LEASE:g}",
            "SAC_RESYNC": "1",
        }
        return server

    def owners(self) -> Counter[str]:
        """How many agents each server owns; nobody's are those of ``-``."""
        name = self.url.partition("@/")[2].partition("?")[0]
        rows = self.cluster.sql("SELECT coalesce(owner_server, '-') FROM resources WHERE kind = 'Agent'", name)
        return Counter(rows.split())

    def bodies(self) -> list[psutil.Process]:
        """The holders that live, of both."""
        return LiveServer(self.folder / "shared").holders()

    def end(self) -> None:
        for folder in ("one", "two", "shared"):
            LiveServer(self.folder / folder).end()
        for server in (self.first, self.second):
            if server.process is not None:
                server.process.wait(timeout=20)


@pytest.fixture
def pair(tmp_path: Path, postgres: Cluster) -> Iterator[Pair]:
    servers = Pair(tmp_path, postgres, postgres.database())
    try:
        yield servers
    finally:
        servers.end()


@pytest.fixture
async def both(pair: Pair) -> AsyncIterator[tuple[HttpSac, HttpSac]]:
    await pair.first.start()
    await pair.second.start()
    async with pair.first.client() as one, pair.second.client() as two:
        yield one, two


async def seen(terminal: Terminal, wanted: bytes) -> bytes:
    """Read until something is there; each byte once."""
    data, start = bytearray(), terminal.offset
    with anyio.fail_after(20):
        async for event in terminal:
            if isinstance(event, Output):
                assert event.offset == start + len(data)
                data += event.data
                if wanted in data:
                    return bytes(data)
    raise AssertionError(f"the terminal ended without {wanted!r}")


async def controls(terminal: Terminal) -> None:
    """Read until it is told that it controls."""
    with anyio.fail_after(20):
        async for event in terminal:
            if isinstance(event, RoleChanged) and event.role == "control":
                return
    raise AssertionError("the terminal ended")


async def test_what_one_server_is_told_the_other_knows(pair: Pair, both: tuple[HttpSac, HttpSac]) -> None:
    one, two = both
    await one.agents.create("a1")
    await two.agents.wait("a1", timeout=20)
    assert (await two.exec("a1", ["echo", "hello"])).stdout == "hello\n"
    session = (await two.sessions.create("a1", command=["cat"])).metadata.name
    async with one.sessions.attach(session) as typing, two.sessions.attach(session, mode="view") as watching:
        await typing.write(b"from one\n")
        await seen(typing, b"from one\r\nfrom one\r\n")
        await seen(watching, b"from one\r\nfrom one\r\n")
        await watching.take()
        await controls(watching)
        await watching.write(b"from two\n")
        await seen(watching, b"from two\r\nfrom two\r\n")
    await two.agents.stop("a1")
    await one.agents.wait("a1", "Stopped", timeout=20)
    await two.agents.delete("a1")

    async def gone() -> bool:
        with suppress(NotFoundError):
            await one.agents.get("a1")
            return False
        return not pair.bodies()

    await until(gone)


async def test_agents_are_shared_and_taken_over_when_a_server_is_killed(
    pair: Pair, both: tuple[HttpSac, HttpSac]
) -> None:
    one, two = both
    for number in range(20):
        await one.agents.create(f"a{number}", {"command": ["sleep", "1000"]})
    for number in range(20):
        await two.agents.wait(f"a{number}", timeout=30)

    async def shared() -> bool:
        owners = pair.owners()
        return len(owners) == 2 and "-" not in owners and min(owners.values()) >= 6

    await until(shared, seconds=10 * LEASE)
    before = {process.pid for process in pair.bodies()}
    assert len(before) == 20
    pair.first.kill()

    async def alone() -> bool:
        return len(pair.owners()) == 1 and "-" not in pair.owners()

    await until(alone, seconds=5 * LEASE)
    assert {process.pid for process in pair.bodies()} == before, "a take-over starts and ends nothing"
    for number in range(20):
        await two.agents.stop(f"a{number}")
    for number in range(20):
        await two.agents.wait(f"a{number}", "Stopped", timeout=30)
    assert not pair.bodies()


async def test_a_server_that_ends_gives_up_at_once_what_it_owned(pair: Pair, both: tuple[HttpSac, HttpSac]) -> None:
    _, two = both
    await two.agents.create("a1")
    await two.agents.wait("a1", timeout=20)
    session = (await two.sessions.create("a1", command=["cat"])).metadata.name
    pair.second.stop(signal.SIGTERM)
    async with pair.first.client() as one, one.sessions.attach(session) as terminal:
        await terminal.write(b"still there\n")
        await seen(terminal, b"still there\r\nstill there\r\n")
        await one.agents.restart("a1")
        await one.agents.wait("a1", timeout=20)


async def test_a_server_that_slept_past_its_lease_does_no_harm(pair: Pair, both: tuple[HttpSac, HttpSac]) -> None:
    one, two = both
    await one.agents.create("a1", {"command": ["sleep", "1000"]})
    await one.agents.wait("a1", timeout=20)
    sleeper, awake = (pair.first, two)
    assert sleeper.process is not None
    owner = pair.owners()
    sleeper.process.send_signal(signal.SIGSTOP)
    try:

        async def taken() -> bool:
            return pair.owners() != owner

        await until(taken, seconds=5 * LEASE)
        await awake.agents.restart("a1")
        await awake.agents.wait("a1", timeout=20)
        (body,) = pair.bodies()
    finally:
        sleeper.process.send_signal(signal.SIGCONT)
    agent = await one.agents.wait("a1", timeout=20)
    for _ in range(20):
        await one.agents.patch("a1", {"metadata": {"annotations": {"seen": "yes"}}})
        assert [process.pid for process in pair.bodies()] == [body.pid]
        await anyio.sleep(0.1)
    after = await one.agents.get("a1")
    assert (after.status.phase, after.metadata.generation) == ("Running", agent.metadata.generation)


async def test_a_server_that_is_killed_and_started_again_goes_on_at_once(pair: Pair) -> None:
    """It does not wait for its own lease to run out."""
    server = pair.first
    server.env["SAC_LEASE"] = "600"
    await server.start()
    async with server.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        await server.restart()
        await sac.agents.restart("a1")
        await sac.agents.wait("a1", timeout=20)
    assert len(pair.owners()) == 1
