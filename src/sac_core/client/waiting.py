"""Waiting for an agent, and seeing what it waits for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio

from sac_core.client.resources import HttpResources
from sac_core.errors import DeadlineError, NotFoundError
from sac_core.models.agent import Agent
from sac_core.models.change import Change
from sac_core.models.lifecycle import reached


async def follow(agents: HttpResources[Agent], name: str) -> AsyncGenerator[Agent | None]:
    """The agent as it is, then as it becomes, for ever; None once it is gone, then it ends.

    Raises `NotFoundError` when there is none to begin with.
    """
    page = await agents.list(field_selector=f"metadata.name={name}", limit=1)
    if not page.items:
        raise NotFoundError(f"there is no agent {name!r}", field="metadata.name", hint="see `sac get agents`")
    uid = page.items[0].metadata.uid
    yield page.items[0]
    async with aclosing(agents.watch(since=page.version)) as changes:
        async for change in changes:
            if isinstance(change, Change) and change.object.metadata.uid == uid:
                yield None if change.verb == "DELETED" else change.object
                if change.verb == "DELETED":
                    return


async def wait(agents: HttpResources[Agent], name: str, phase: str, timeout: float) -> Agent | None:
    """The agent once it is in ``phase``; the errors of `Agents.wait`."""
    last: Agent | None = None
    try:
        with anyio.move_on_after(timeout):
            async with aclosing(follow(agents, name)) as states:
                async for agent in states:
                    if agent is None:
                        raise NotFoundError("the agent was deleted meanwhile")
                    last = agent
                    if reached(agent, phase):
                        return agent
    except NotFoundError:
        if phase == "absent":
            return last
        raise
    raise DeadlineError(_late(last, name, phase, timeout), hint=f"see `sac describe {name}`")


def _late(last: Agent | None, name: str, phase: str, timeout: float) -> str:
    now = f"; it is {describe(last)}" if last else ""
    return f"agent {name!r} is not {phase} after {timeout:g} s{now}"


def describe(agent: Agent) -> str:
    """The phase in one line: ``Starting (Pulling: 40 %)``."""
    status = agent.status
    why = ": ".join(part for part in (status.reason, status.progress, status.message) if part)
    return f"{status.phase} ({why})" if why else status.phase
