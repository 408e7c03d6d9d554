"""The stages of this server, and the sessions at which they have seats."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import anyio
from anyio.abc import TaskGroup

from sac_core.contracts.background import background
from sac_core.contracts.stage import Need, Stage
from sac_core.errors import UnavailableError
from sac_core.models.process import Exit, TtySize
from sac_core.models.session import Session
from sac_core.service.stages.follower import Follower
from sac_core.service.stages.sight import Sight

log = logging.getLogger("sac.stages")


@dataclass(slots=True)
class _Watched:
    """A session's stages. ``running`` once they are fed, ``done`` once all of them have seen its end."""

    followers: list[Follower] = field(default_factory=list)
    running: bool = False
    done: anyio.Event = field(default_factory=anyio.Event)


@dataclass(slots=True)
class Stages:
    """All stages by name, and why others could not be opened. Nothing here must survive a restart."""

    group: TaskGroup
    now: Callable[[], datetime]
    opened: Mapping[str, Stage] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    def knows(self, uid: str) -> bool:
        """Whether the stages of a session have their seats here, or have seen its end."""
        return uid in self._watched or not self.opened

    async def begin(self, session: Session) -> None:
        """Seat every stage that wants to see a session; `UnavailableError` when one cannot that it must not be without.

        Again is harmless.
        """
        uid = session.metadata.uid
        if not self.opened:
            return
        async with self._locks.setdefault(uid, anyio.Lock()):
            if uid not in self._watched:
                self._watched[uid] = _Watched(await self._seated(session))

    def follow(self, uid: str, sight: Sight) -> None:
        """Feed the stages that were seated, in the background; again is harmless."""
        watched = self._watched.get(uid)
        if watched is not None and not watched.running:
            watched.running = True
            self.group.start_soon(self._run, watched, sight)

    async def withdraw(self, uid: str, reason: str) -> None:
        """The session's process was never opened."""
        watched = self._watched.get(uid)
        if watched is not None and not watched.running:
            self.forget(uid)
            for follower in watched.followers:
                await follower.withdraw(Exit(reason=reason))

    async def finish(self, uid: str, timeout: float) -> None:
        """Wait until the stages have seen a session's end, at most ``timeout`` seconds."""
        watched = self._watched.get(uid)
        if watched is not None and watched.running:
            with anyio.move_on_after(timeout):
                await watched.done.wait()

    def forget(self, uid: str) -> None:
        """The session has gone; what is still fed is fed to its end."""
        self._watched.pop(uid, None)
        self._locks.pop(uid, None)

    def resized(self, uid: str, size: TtySize) -> None:
        """A session's terminal has another size."""
        watched = self._watched.get(uid)
        for follower in watched.followers if watched else ():
            follower.resized(size)

    async def _seated(self, session: Session) -> list[Follower]:
        followers: list[Follower] = []
        try:
            for name, stage in self.opened.items():
                need = _need(name, stage, session)
                if need != "none":
                    followers.append(Follower(name, stage, session, strict=need == "strict", now=self.now))
                    await _begun(followers[-1])
        except BaseException:
            for follower in followers:
                await follower.leave()
            raise
        return followers

    async def _run(self, watched: _Watched, sight: Sight) -> None:
        async with anyio.create_task_group() as group:
            for follower in watched.followers:
                group.start_soon(_contained, follower, sight)
        watched.done.set()


def _need(name: str, stage: Stage, session: Session) -> Need:
    try:
        return stage.need(session)
    except Exception:
        log.exception("stage %s cannot tell whether to see session %s", name, session.metadata.name)
        return "none"


async def _begun(follower: Follower) -> None:
    try:
        await follower.begin()
    except UnavailableError as error:
        if follower.strict:
            raise
        log.warning("%s", error)


async def _contained(follower: Follower, sight: Sight) -> None:
    """One stage's fault must not take the others with it."""
    try:
        await follower.run(sight)
    except Exception:
        log.exception("a fault while feeding stage %s", follower.name)


@asynccontextmanager
async def open_stages(
    now: Callable[[], datetime], opened: Mapping[str, Stage], failed: Mapping[str, str]
) -> AsyncIterator[Stages]:
    """Stages that are fed until the context is left; the sessions go on."""
    async with background() as group:
        yield Stages(group, now, opened, failed)
