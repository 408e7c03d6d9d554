"""Ways out of bodies: sockets in a body, each of which leads to one place, through the server that keeps the agent.

Nothing here must survive a restart: whoever keeps the agent next listens at the same sockets again.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup, TaskStatus

from sac_core.contracts.background import background
from sac_core.contracts.causes import About
from sac_core.errors import InvalidError, LaunchError, NotReadyError, SacError
from sac_core.held.listening import BodyStream, Listener
from sac_core.models.agent import Agent
from sac_core.models.outlet import Outlet
from sac_core.models.principal import LOCAL
from sac_core.service import notes
from sac_core.service.bodies import Body, HeldBody
from sac_core.service.explaining import about
from sac_core.service.notes import Note
from sac_core.service.places import connect, relay

log = logging.getLogger("sac.outlets")

Tell = Callable[[About, Note], None]


@dataclass(slots=True)
class _Open:
    """The sockets of one body, for as long as ``scope`` is not cancelled."""

    body: Body
    outlets: tuple[Outlet, ...]
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    closed: anyio.Event = field(default_factory=anyio.Event)


@dataclass(slots=True)
class Outlets:
    """The outlets of all agents that this server keeps.

    ``tell`` writes into timelines; ``known`` are the places that are not public and may be reached all the same.
    """

    group: TaskGroup
    tell: Tell
    known: Collection[str]
    _open: dict[str, _Open] = field(default_factory=dict)

    async def keep(self, agent: Agent, body: Body, outlets: tuple[Outlet, ...]) -> None:
        """Have these sockets in the body, and no others; returns once they are there.

        Raises `LaunchError` where the body has no holder, `NotReadyError` when it does not let us listen.
        """
        uid = agent.metadata.uid
        wanted, known = _Open(body, outlets), self._open.get(uid)
        if known is not None and known.body is body and known.outlets == outlets:
            return
        await self.drop(uid)
        if not outlets:
            return
        if not isinstance(body, HeldBody):
            raise LaunchError(
                "without a Python in its image, this agent has no way to SAC",
                reason="Unsupported",
                field="spec.egress",
                hint="use an image with Python 3.8 or later, or let it have a network",
            )
        try:
            await self.group.start(self._hold, agent, body, wanted)
        except InvalidError as error:
            raise NotReadyError(f"its way out cannot be opened: {error.message}") from None

    async def drop(self, uid: str) -> None:
        """Close the sockets of a body; what was carried through them is cut."""
        known = self._open.get(uid)
        if known is not None:
            known.scope.cancel()
            await known.closed.wait()

    async def _hold(self, agent: Agent, body: HeldBody, wanted: _Open, *, task_status: TaskStatus[None]) -> None:
        """Listen until dropped, or until the way into the body is lost."""
        uid, begun = agent.metadata.uid, False
        self._open[uid] = wanted
        try:
            with wanted.scope:
                async with AsyncExitStack() as stack:
                    taken = [
                        (outlet, await stack.enter_async_context(body.link.listen(outlet.file)))
                        for outlet in wanted.outlets
                    ]
                    begun = True
                    task_status.started()
                    async with anyio.create_task_group() as tasks:
                        for outlet, listener in taken:
                            tasks.start_soon(self._serve, agent, outlet, listener)
        except SacError as error:
            if not begun:
                raise
            log.info("the ways out of agent %s are lost: %s", agent.metadata.name, error)
        finally:
            if self._open.get(uid) is wanted:
                del self._open[uid]
            wanted.closed.set()

    async def _serve(self, agent: Agent, outlet: Outlet, listener: Listener) -> None:
        async with anyio.create_task_group() as tasks:
            async for stream in listener:
                tasks.start_soon(self._carry, agent, outlet, stream)

    async def _carry(self, agent: Agent, outlet: Outlet, stream: BodyStream) -> None:
        """One connection, from its beginning to its end."""
        private = agent.metadata.owner == LOCAL.id or outlet.host in self.known or outlet.place in self.known
        async with stream:
            try:
                async with await connect(outlet.host, outlet.port, private=private) as place:
                    await relay(stream, place)
            except SacError as error:
                log.info("agent %s: %s", agent.metadata.name, error)
                self.tell(about(agent), notes.unreachable(outlet, error))
            except Exception:  # one connection's fault must not take the others with it
                log.exception("a fault while carrying for agent %s", agent.metadata.name)


@asynccontextmanager
async def open_outlets(tell: Tell, known: Collection[str]) -> AsyncIterator[Outlets]:
    """The outlets of a server, all closed at the end."""
    async with background() as group:
        yield Outlets(group, tell, known)
