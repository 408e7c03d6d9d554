"""What users do with agents and sessions, one operation each, told in a way that a fault may come in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from sac_core.contracts.sac import Sac
from sac_core.errors import NotFoundError
from sac_core.testing.fixtures import eventually

PATIENCE = 10.0
"""Seconds that an operation waits for what it has asked for."""

Act = Callable[[Sac, str], Awaitable[None]]
"""Does something to the agent of a name."""


class Operation(NamedTuple):
    """Something that a user does with an agent.

    ``run`` may come a second time when nobody knows whether it was done, and waits until its effect is there; ``holds``
    raises AssertionError unless it is.
    """

    name: str
    run: Act
    holds: Act


async def create(sac: Sac, name: str) -> None:
    """Have an agent that leaves beats with its name."""
    await sac.agents.create(name, {"command": ["beat", name]}, idempotency_key=f"create-{name}")
    await sac.agents.wait(name, timeout=PATIENCE)


async def update(sac: Sac, name: str) -> None:
    """Have another body in place of the one that runs."""
    await sac.agents.patch(name, {"spec": {"command": ["beat", name, "again"]}})
    await sac.agents.wait(name, timeout=PATIENCE)


async def stop(sac: Sac, name: str) -> None:
    """Have it stopped."""
    await sac.agents.stop(name)
    await sac.agents.wait(name, "Stopped", timeout=PATIENCE)


async def start(sac: Sac, name: str) -> None:
    """Have it run again."""
    await sac.agents.start(name)
    await sac.agents.wait(name, timeout=PATIENCE)


async def delete(sac: Sac, name: str) -> None:
    """Have it gone."""
    with suppress(NotFoundError):
        await sac.agents.delete(name)
        await sac.agents.wait(name, "absent", timeout=PATIENCE)


async def open_session(sac: Sac, name: str) -> None:
    """Have one session in it, and use it."""
    generation = (await sac.agents.get(name)).metadata.generation
    session = await sac.sessions.create(name, command=["cat"], idempotency_key=f"open-{name}-{generation}")
    if session.status.phase == "Running":
        async with sac.sessions.attach(session.metadata.name) as terminal:
            await terminal.write(b"x")


async def close_sessions(sac: Sac, name: str) -> None:
    """Have no session in it."""
    for session in await _sessions(sac, name):
        with suppress(NotFoundError):
            await sac.sessions.delete(session)

    async def gone() -> bool:
        return not await _sessions(sac, name)

    await eventually(gone, PATIENCE)


async def _running(sac: Sac, name: str) -> None:
    assert (await sac.agents.get(name)).status.phase == "Running"


async def _updated(sac: Sac, name: str) -> None:
    agent = await sac.agents.get(name)
    assert (agent.status.phase, agent.spec.command) == ("Running", ("beat", name, "again"))


async def _stopped(sac: Sac, name: str) -> None:
    assert (await sac.agents.get(name)).status.phase == "Stopped"


async def _absent(sac: Sac, name: str) -> None:
    assert name not in [agent.metadata.name for agent in (await sac.agents.list()).items]
    assert not await _sessions(sac, name)


async def _opened(sac: Sac, name: str) -> None:
    assert len(await _sessions(sac, name)) == 1


async def _closed(sac: Sac, name: str) -> None:
    assert not await _sessions(sac, name)


async def _sessions(sac: Sac, name: str) -> list[str]:
    return [one.metadata.name for one in (await sac.sessions.list()).items if one.spec.agent == name]


CREATE = Operation("create", create, _running)
OPEN = Operation("open", open_session, _opened)
CLOSE = Operation("close", close_sessions, _closed)
UPDATE = Operation("update", update, _updated)
STOP = Operation("stop", stop, _stopped)
START = Operation("start", start, _running)
DELETE = Operation("delete", delete, _absent)

LIFE = (CREATE, OPEN, CLOSE, UPDATE, OPEN, STOP, START, DELETE)
"""A life of an agent: what SAC itself is swept with. Like every life it ends where it began."""
