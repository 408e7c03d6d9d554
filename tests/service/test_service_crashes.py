"""The server dies, or is lied to, at every point of an agent's life; after a restart everything is true again.

Judged by the bodies themselves, never by our rows: at most one alive, none without a row, no row that claims one.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import SacError
from sac_core.testing.faults import FaultKind, FaultPlan, FaultPoint, SimulatedKill
from sac_core.testing.fixtures import eventually
from simulated_world import World

LIFE_DEADLINE = 15.0


async def life(sac: Sac) -> None:
    """Everything that an agent and a session can go through."""
    await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=LIFE_DEADLINE)
    session = await sac.sessions.create("a1", command=["cat"])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        await terminal.write(b"x")
    await sac.sessions.delete(session.metadata.name)
    await sac.agents.patch("a1", {"spec": {"command": ["idle"]}})
    await sac.agents.wait("a1", timeout=LIFE_DEADLINE)
    await sac.agents.stop("a1")
    await sac.agents.wait("a1", "Stopped", timeout=LIFE_DEADLINE)
    await sac.agents.start("a1")
    await sac.agents.wait("a1", timeout=LIFE_DEADLINE)
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=LIFE_DEADLINE)


async def live(world: World, faults: FaultPlan) -> None:
    """One server's life, as far as it gets."""
    try:
        with anyio.move_on_after(LIFE_DEADLINE):
            async with world.sac(faults) as sac:
                await life(sac)
    except SacError:
        pass  # a fault that reached the caller, who would try again
    except BaseExceptionGroup as group:
        if group.split(SimulatedKill)[1] is not None:
            raise
    except SimulatedKill:
        pass


async def true_again(world: World) -> None:
    """What must hold some time after a restart."""
    async with world.sac() as sac:

        async def settled() -> bool:
            rows = {agent.metadata.uid: agent for agent in (await sac.agents.list()).items}
            bodies = [body for body in world.target.bodies() if body.phase not in ("stopped", "failed", "exited")]
            done = all(a.status.phase in ("Running", "Stopped", "Completed", "Failed") for a in rows.values())
            claimed = {uid for uid, agent in rows.items() if agent.status.phase == "Running"}
            sessions = [session.status.phase for session in (await sac.sessions.list()).items]
            done = done and all(phase in ("Running", "Ended") for phase in sessions)
            return done and {body.key.uid for body in bodies} == claimed

        await eventually(settled, 15, describe="rows and bodies agree")
    assert max(world.target.most_alive.values(), default=0) <= 1


async def points(world: World) -> list[FaultPoint]:
    """Every point that an undisturbed life passes."""
    plan = FaultPlan()
    async with world.sac(plan) as sac:
        await life(sac)
    return list(dict.fromkeys(plan.visited))


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize("kind", ["kill", "deceive", "raise", "hang"])
async def test_after_a_fault_anywhere_everything_is_true_again(worlds: Callable[[str], World], kind: FaultKind) -> None:
    known = [point for point in await points(worlds("undisturbed")) if point.method not in ("probe", "watch")]
    assert len({point.method for point in known}) >= 5, "the life no longer passes what it should"
    chosen = known[:: 1 if kind == "kill" else 4]
    for number, point in enumerate(chosen):
        world = worlds(f"w{number}")
        await live(world, FaultPlan({point: kind}))
        try:
            await true_again(world)
        except AssertionError as error:
            raise AssertionError(f"after {kind} at {point}: {error}") from error
