"""Sessions whose agent goes away while they are opened. The executor is simulated."""

from __future__ import annotations

import pytest

from sac_core.errors import NotReadyError
from sac_core.models.principal import LOCAL
from simulated_world import World


async def test_a_session_of_a_body_that_has_just_ended_is_refused_and_leaves_no_row(world: World) -> None:
    async with world.serve(resync=60) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1")
        agent = await sac.agents.wait("a1", timeout=10)
        core.services.bodies.leave(agent.metadata.uid)
        world.target.discard(next(iter(world.target.bodies())))
        with pytest.raises(NotReadyError, match="a1"):
            await sac.sessions.create("a1", command=["cat"])
        assert (await sac.sessions.list()).items == ()
