"""The fan-out of terminals: one feed per session that is being watched, with a short tail of its process's log.

The log itself is the holder's. A feed reads at the pace of its quickest viewer; who falls behind the tail reads from
the log on its own, and gets a gap when the log no longer has it. Nobody slows the process or another viewer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from sac_core.contracts.background import background
from sac_core.contracts.context import State
from sac_core.contracts.process import Process
from sac_core.contracts.sac import Terminal
from sac_core.errors import UnavailableError
from sac_core.models.process import TtySize
from sac_core.service.feed import Feed
from sac_core.service.keyboards import Keyboards
from sac_core.service.viewer import Viewer
from sac_core.wire.terminal import Role

MAX_VIEWERS = 64
LEASE_GRACE = 10.0
"""Seconds for which the input lease stays reserved for its principal after its socket went away."""


@dataclass(frozen=True, slots=True)
class Source:
    """A session's process as found in its body: where its output ends now, and its terminal's size."""

    process: Process
    end: int
    size: TtySize


Find = Callable[[], Awaitable[Source]]
"""Finds a session's process, again after its link was lost; raises `NotFoundError` when the session is gone."""


@dataclass(slots=True)
class _Reservation:
    principal: str
    until: float


@dataclass(slots=True)
class Hub:
    """All feeds of this server."""

    group: TaskGroup
    keyboards: Keyboards
    on_resize: Callable[[str, TtySize], None] = field(default=lambda uid, size: None)
    feeds: dict[str, Feed] = field(default_factory=dict)
    _reserved: dict[str, _Reservation] = field(default_factory=dict)

    @asynccontextmanager
    async def attach(
        self,
        uid: str,
        name: str,
        find: Find,
        *,
        principal: str,
        since: int | None,
        mode: Role | None,
        taken: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[Terminal]:
        """Become a viewer of the session ``uid`` until the context is left; ``taken`` is told of a take-over by it."""
        source = await find()
        feed = self.feeds.get(uid)
        if feed is None:
            feed = self._start(uid, source, find, since or 0)
        if len(feed.viewers) >= MAX_VIEWERS:
            raise UnavailableError(f"session {name!r} has {MAX_VIEWERS} viewers already", reason="TooManyViewers")
        viewer = Viewer(feed, name, principal, offset=min(since or 0, source.end), end=source.end, taken=taken)
        wants = mode != "view" and self._free(uid, feed, principal)
        viewer.role = "control" if wants and self.keyboards.alone else "view"
        feed.join(viewer)
        try:
            if wants and viewer.role == "view":
                await self._ask(uid, feed, viewer)
            yield viewer
        finally:
            self._leave(uid, feed, viewer)

    async def _ask(self, uid: str, feed: Feed, viewer: Viewer) -> None:
        """Give the viewer control, unless somebody has it at another server, or took it here meanwhile."""
        mine = await self.keyboards.take(uid, viewer.principal, feed.size)
        if mine and self._free(uid, feed, viewer.principal):
            feed.give_control(viewer)

    def _start(self, uid: str, source: Source, find: Find, since: int) -> Feed:
        async def again() -> Process:
            return (await find()).process

        feed = self.feeds[uid] = Feed(source.process, again, since=min(since, source.end), size=source.size)
        feed.on_resize = lambda size: self.on_resize(uid, size)
        feed.on_take = lambda principal: self.keyboards.take(uid, principal, feed.size, force=True)
        self.group.start_soon(feed.run)
        return feed

    def _free(self, uid: str, feed: Feed, principal: str) -> bool:
        reserved = self._reserved.get(uid)
        if reserved is not None and reserved.until <= anyio.current_time():
            self._reserved.pop(uid)
            reserved = None
        return feed.controller is None and (reserved is None or reserved.principal == principal)

    def _leave(self, uid: str, feed: Feed, viewer: Viewer) -> None:
        if feed.controller is viewer and feed.exit is None:
            self._reserved[uid] = _Reservation(viewer.principal, anyio.current_time() + LEASE_GRACE)
            self.group.start_soon(self.keyboards.release, uid, viewer.principal, LEASE_GRACE)
        feed.leave(viewer)
        if not feed.viewers:
            feed.close()
            if self.feeds.get(uid) is feed:
                del self.feeds[uid]
        self._forget_reservations()

    def _forget_reservations(self) -> None:
        now = anyio.current_time()
        for uid in [uid for uid, reserved in self._reserved.items() if reserved.until <= now]:
            del self._reserved[uid]


@asynccontextmanager
async def open_hub(state: State, server: str, others: Callable[[], frozenset[str]]) -> AsyncIterator[Hub]:
    """A hub whose feeds end with it; the processes go on. ``others`` are the other servers that are alive."""
    async with background() as group:
        keyboards = Keyboards(state, server, others)
        hub = Hub(group, keyboards, feeds=keyboards.feeds)
        group.start_soon(keyboards.run)
        yield hub
