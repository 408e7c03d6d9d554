"""Waiting in sight of the user."""

from __future__ import annotations

import math
import time
from contextlib import aclosing
from typing import Any

import anyio

from sac_core.cli.progress import Progress
from sac_core.client.agents import HttpAgents
from sac_core.client.kinds import RemoteKind
from sac_core.client.surface import HttpSac
from sac_core.client.waiting import describe, follow
from sac_core.errors import DeadlineError, NotFoundError
from sac_core.models.agent import Agent
from sac_core.models.body import BUILDING
from sac_core.models.lifecycle import reached

AGENT_TIMEOUT = 300.0
GONE_TIMEOUT = 120.0


async def wait_for(agents: HttpAgents, name: str, phase: str, timeout: float = AGENT_TIMEOUT) -> Agent:
    """Wait for a phase, and show what is waited for; raises like `Agents.wait`. Building an image takes none of it."""
    seen = ""
    with Progress() as progress, anyio.move_on_after(timeout) as scope:
        async with aclosing(follow(agents, name)) as states:
            async for agent in states:
                if agent is None:
                    raise NotFoundError(f"agent {name!r} was deleted meanwhile")
                seen = describe(agent)
                progress.show(f"Waiting for agent {name}: {seen}")
                if agent.status.reason == BUILDING:
                    scope.deadline = math.inf
                elif scope.deadline == math.inf:
                    scope.deadline = anyio.current_time() + timeout
                if reached(agent, phase):
                    return agent
    raise DeadlineError(
        f"agent {name!r} is not {phase} after {timeout:g} s; it is {seen}", hint=f"see `sac describe {name}`"
    )


def asked_line(name: str, doing: str) -> str:
    """What a verb has asked for and not waited for, in a line."""
    return f"agent/{name} is {doing}"


def reached_line(agent: Agent) -> str:
    """What was waited for and is reached, in a line: ``agent/a1 is Running``."""
    return f"agent/{agent.metadata.name} is {describe(agent)}"


async def wait_gone(sac: HttpSac, kind: RemoteKind, name: str, timeout: float = GONE_TIMEOUT) -> None:
    """Wait until a deleted thing is gone."""
    things, thing = sac.resources(kind.plural), None
    deadline = time.monotonic() + timeout
    with Progress() as progress:
        while time.monotonic() < deadline:
            try:
                thing = await things.get(name)
            except NotFoundError:
                return
            if thing.metadata.deletion_timestamp is None:  # another one of that name, made meanwhile
                return
            progress.show(f"Waiting for {kind.singular} {name} to go")
            await anyio.sleep(0.1)
    raise DeadlineError(f"{kind.singular} {name!r} is still being deleted after {timeout:g} s{_why(thing)}")


def _why(thing: Any) -> str:
    """What an agent waits for, and what can be done."""
    return f": {thing.status.message}" if isinstance(thing, Agent) and thing.status.message else ""
