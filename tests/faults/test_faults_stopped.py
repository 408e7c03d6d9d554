"""Stopped servers, second servers, taken ports, killed holders: each has a clear outcome."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from sac_core.client.surface import HttpSac
from sac_core.wire.terminal import SUBPROTOCOL, Exited

if TYPE_CHECKING:
    from live_server import LiveServer

STUBBORN = ["sh", "-c", "trap '' HUP; sleep 1234 & wait"]
"""Outlives its terminal: only who looks for it ends it."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_server_leaves_agents_running_and_says_when_to_come_back(
    live: LiveServer, number: signal.Signals
) -> None:
    async with live.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        session = (await sac.sessions.create("a1", command=["cat"])).metadata.name
    holder = live.holders()[0].pid
    address = f"ws://127.0.0.1:{live.port}/api/v1/sessions/{session}/attach"
    headers = {"Authorization": f"Bearer {live.token}"}
    async with connect(address, subprotocols=[SUBPROTOCOL], additional_headers=headers) as terminal:  # type: ignore[list-item]
        await terminal.recv()
        assert live.stop(number) == 0
        with suppress(ConnectionClosedError):
            async for _ in terminal:
                pass
        assert terminal.close_code == 1012
    assert not (live.folder / "server.json").exists()
    assert psutil.pid_exists(holder)
    await live.start()
    async with live.client() as sac:
        agent = await sac.agents.wait("a1", timeout=20)
        assert agent.status.restarts == 0
        assert [process.pid for process in live.holders()] == [holder]
        assert (await sac.sessions.get(session)).status.phase == "Running"


async def test_a_taken_port_is_an_error_that_says_what_to_do(live: LiveServer) -> None:
    live.stop()
    with socket.create_server(("127.0.0.1", live.port)):
        done = await live.run("up", "--port", str(live.port))
    assert done.returncode != 0
    said = done.stderr.decode()
    assert f"port {live.port} is taken" in said
    assert "--port" in said
    assert "Traceback" not in said


async def test_a_second_server_on_one_data_directory_is_refused(live: LiveServer) -> None:
    done = await live.run("up", "--port", "0")
    assert done.returncode != 0
    said = done.stderr.decode()
    assert str(live.process.pid if live.process else None) in said
    assert "SAC_DATA_DIR" in said
    assert "Traceback" not in said
    async with live.client() as sac:
        assert (await sac.agents.list()).items == ()


async def test_a_killed_holder_is_told_and_replaced_and_leaves_nothing(live: LiveServer) -> None:
    async with live.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        session = (await sac.sessions.create("a1", command=STUBBORN)).metadata.name
        holder = live.holders()[0]
        inside = holder.children(recursive=True)
        assert inside
        holder.kill()
        with anyio.fail_after(30):
            await watch_restart(sac)
        agent = await sac.agents.get("a1")
        assert agent.status.restarts == 1
        ended = await sac.sessions.get(session)
        assert ended.status.phase == "Ended"
        assert ended.status.exit is not None
        assert ended.status.exit.reason
        async with sac.sessions.attach(session) as terminal:
            events = [event async for event in terminal]
        assert isinstance(events[-1], Exited)
        assert len(live.holders()) == 1
        assert live.holders()[0].pid != holder.pid
        assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in inside)
        assert (await sac.exec("a1", ["echo", "again"])).stdout == "again\n"


async def watch_restart(sac: HttpSac) -> None:
    """Until it runs again; on the way its status must have said what happened."""
    said = set[str]()
    async for change in sac.watch(kinds=["Agent"]):
        status = getattr(getattr(change, "object", None), "status", None)
        if status is None:
            continue
        if status.phase != "Running":
            said.add(status.reason)
        elif status.restarts:
            assert said & {"Lost", "RemovedOutside", "CrashLoop"}, said
            return


async def test_a_restart_that_was_asked_for_counts_as_no_failure(live: LiveServer) -> None:
    async with live.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        await sac.sessions.create("a1", command=["sleep", "1234"])
        before = live.holders()[0].pid
        await sac.agents.restart("a1")
        agent = await sac.agents.wait("a1", timeout=30)
        assert (agent.status.restarts, agent.status.reason) == (0, "")
        assert [holder.pid for holder in live.holders()] != [before]
        assert len(live.holders()) == 1
