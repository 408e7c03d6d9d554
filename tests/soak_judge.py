"""Looks at a server that is left alone for a moment: agents, bodies and processes must agree, and answers must hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

import psutil

from live_server import LiveServer
from sac_core.client.surface import HttpSac
from sac_core.models.agent import Agent
from sac_core.models.session import Session
from sac_core.testing.fixtures import eventually
from soak_bodies import doubles
from soak_clients import Client, untrue

PATIENCE = 60.0
"""Seconds until rows and bodies must agree."""


async def problems(server: LiveServer, sac: HttpSac, clients: Sequence[Client]) -> list[str]:
    """What is still wrong after a minute without operations."""
    found: list[str] = []

    async def none() -> bool:
        agents, sessions = (await sac.agents.list()).items, (await sac.sessions.list()).items
        found[:] = [*_disagreements(server, agents, sessions), *_broken(clients, agents)]
        return not found

    with suppress(AssertionError):
        await eventually(none, PATIENCE)
    return [*found, *doubles(server.folder.parent), *_faults(server)]


def _faults(server: LiveServer) -> Iterator[str]:
    """What nobody expected, since the server was started last."""
    for line in server.said.splitlines():
        if line.startswith("Traceback") or "never retrieved" in line:
            yield f"the server printed: {server.said}"
            return


def _broken(clients: Sequence[Client], agents: Sequence[Agent]) -> Iterator[str]:
    phases = {agent.metadata.name: agent.status.phase for agent in agents}
    for client in clients:
        yield from untrue(client, phases)


def _disagreements(server: LiveServer, agents: Sequence[Agent], sessions: Sequence[Session]) -> Iterator[str]:
    """Rows against processes, as the operating system tells them."""
    holders = _children(server)
    running = {agent.metadata.uid: agent for agent in agents if agent.status.phase == "Running"}
    for agent in agents:
        if agent.status.phase not in ("Running", "Stopped"):
            yield f"{agent.metadata.name} stays {agent.status.phase}: {agent.status.message}"
        if agent.status.restarts:
            yield f"{agent.metadata.name} was restarted {agent.status.restarts} times, and nothing of it had ended"
    for uid in holders.keys() - running.keys():
        yield f"a body of {uid} that no running agent claims"
    for uid in running.keys() - holders.keys():
        yield f"{running[uid].metadata.name} is said to run, and has no body"
    open_ = Counter(one.status.agent_uid for one in sessions if one.status.phase == "Running")
    for uid in running.keys() & holders.keys():
        if holders[uid] != 1 + open_[uid]:
            yield f"{running[uid].metadata.name} has {holders[uid]} processes for {open_[uid]} sessions and itself"
    for one in sessions:
        if one.status.phase not in ("Running", "Ended"):
            yield f"session {one.metadata.name} stays {one.status.phase}"


def _children(server: LiveServer) -> dict[str, int]:
    """How many processes each holder has, by the uid of its agent."""
    found: dict[str, int] = {}
    for holder in server.holders():
        command: list[str] = holder.info["cmdline"]
        uid = command[command.index("--uid") + 1]
        with suppress(psutil.NoSuchProcess):
            if uid in found:
                found[f"{uid}, a second one"] = 0
            found[uid] = len([one for one in holder.children() if one.status() != psutil.STATUS_ZOMBIE])
    return found
