"""The comparison of processes with sessions, while sessions and commands come and go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio.abc import ByteStream

from sac_core.contracts.process import Process
from sac_core.models.principal import LOCAL
from sac_core.models.process import Command
from sac_core.service.bodies import PREPARING, Body, Running
from sac_core.service.process_audit import audit
from simulated_world import World


class Overtaken(Body):
    """A body in which something happens between the listing of its processes and what follows."""

    reattach = False

    def __init__(self, inner: Body, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__("s1")
        self.execs = inner.execs
        self._inner = inner
        self._meanwhile = meanwhile

    async def open(self, process_id: str, command: Command) -> Process:
        return await self._inner.open(process_id, command)

    async def find(self, process_id: str) -> Process | None:
        return await self._inner.find(process_id)

    async def look(self, process_id: str) -> Running | None:
        return await self._inner.look(process_id)

    async def list(self) -> list[Running]:
        listed = await self._inner.list()
        await self._meanwhile()
        return listed

    async def dial(self, port: int) -> ByteStream:
        return await self._inner.dial(port)


async def test_a_session_opened_meanwhile_is_not_called_lost(world: World) -> None:
    async with world.serve() as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1")
        agent = await sac.agents.wait("a1", timeout=10)
        first = await sac.sessions.create("a1", command=["cat"])
        body = core.services.bodies.entered(agent.metadata.uid)
        assert body is not None

        async def open_another() -> None:
            await sac.sessions.create("a1", command=["cat"])

        await audit(core.services, agent, Overtaken(body, open_another), prepares=False)
        phases = [session.status.phase for session in (await sac.sessions.list()).items]
        assert phases == ["Running", "Running"]
        assert {process.id for process in await body.list()} > {first.metadata.uid}


async def test_what_nobody_claims_is_ended_and_a_lost_process_ends_its_session(world: World) -> None:
    async with world.serve(resync=60) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1")
        agent = await sac.agents.wait("a1", timeout=10)
        session = await sac.sessions.create("a1", command=["cat"])
        body = core.services.bodies.entered(agent.metadata.uid)
        assert body is not None
        for stray in ("exec-left-behind", "a-session-without-a-row"):
            await body.open(stray, Command(argv=("cat",)))
        process = await body.find(session.metadata.uid)
        assert process is not None
        await process.aclose()
        await audit(core.services, agent, body, prepares=False)
        assert await body.list() == []
        assert (await sac.sessions.get(session.metadata.name)).status.phase == "Ended"


async def test_what_prepares_for_a_version_that_is_gone_is_ended(world: World) -> None:
    async with world.serve() as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1")
        agent = await sac.agents.wait("a1", timeout=10)
        body = core.services.bodies.entered(agent.metadata.uid)
        assert body is not None
        await body.open(f"{PREPARING}clone-old", Command(argv=("cat",)))
        await sac.agents.patch("a1", {"spec": {"startTimeout": 100}})
        await sac.agents.wait("a1", timeout=10)
        assert await body.look(f"{PREPARING}clone-old") is None
