"""Keeps one stage at one session: its seat, what it is fed, and what follows when it loses the seat."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import datetime

import anyio

from sac_core.contracts.background import background
from sac_core.contracts.stage import BEGIN_DEADLINE, TAKE_DEADLINE, Ended, Seat, Stage, StageEvent
from sac_core.errors import ConflictError, SacError, UnavailableError
from sac_core.models.process import Exit, TtySize
from sac_core.models.session import Session
from sac_core.service.stages.backlog import Backlog
from sac_core.service.stages.reading import Reading
from sac_core.service.stages.sight import Sight

log = logging.getLogger("sac.stages")

STAGE_UNAVAILABLE = "StageUnavailable"
"""The reason of a session that is refused because a stage cannot see it."""

CLOSE_DEADLINE = 2.0
_MARGIN = 0.5
"""Seconds that a stage has more here than its guard gives it, so that the guard can say what was wrong."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_LOOK_AGAIN = 30.0


class Follower:
    """A stage that raises or hangs loses its seat; one that the session can be without may take it again later."""

    def __init__(self, name: str, stage: Stage, session: Session, *, strict: bool, now: Callable[[], datetime]) -> None:
        self.name = name
        self.strict = strict
        self._stage = stage
        self._session = session
        self._now = now
        self._seat: Seat | None = None
        self._reading: Reading | None = None

    async def begin(self) -> None:
        """Take the seat; raises `UnavailableError` that names the stage."""
        try:
            with anyio.fail_after(BEGIN_DEADLINE + _MARGIN):
                self._seat = await self._stage.begin(self._session)
        except Exception as error:
            raise UnavailableError(
                f"stage {self.name!r} cannot see the session: {_why(error, BEGIN_DEADLINE)}",
                reason=STAGE_UNAVAILABLE,
                hint="see: sac plugins",
                retry_after=5.0,
            ) from error

    async def run(self, sight: Sight) -> None:
        """Feed the stage to the session's end, or until a seat is lost that the session cannot be without."""
        pause, told = _FIRST_PAUSE, True
        while True:
            try:
                why = await self._feed(sight)
            except ConflictError:
                await self._outseated()
                continue
            if why is None:
                return None
            log.log(logging.WARNING if told else logging.DEBUG, "stage %s at %s: %s", self.name, self._named, why)
            if self.strict:
                return await sight.lose(self._stage.lost_reason, f"stage {self.name!r}: {why}")
            if told:
                await sight.tell(self.name, False, why)
                told = False
            await anyio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, _LONGEST_PAUSE)
            if await self._again() and not told:
                await sight.tell(self.name, True, "")
                told = True

    async def _outseated(self) -> None:
        """Another server feeds the stage: look again later, for it may have gone by then."""
        log.info("stage %s at %s is fed by another server", self.name, self._named)
        while self._seat is None:
            await anyio.sleep(_LOOK_AGAIN * random.uniform(0.8, 1.2))
            await self._again()

    async def withdraw(self, exit: Exit) -> None:
        """The session came to nothing: tell the stage its end."""
        try:
            if self._seat is not None:
                await self._take(self._seat, [Ended(exit, self._now())])
        except Exception as error:
            log.warning("stage %s at %s: %s", self.name, self._named, _why(error, TAKE_DEADLINE))
        await self.leave()

    async def leave(self) -> None:
        """Give the seat up; what the stage raises at that is only logged."""
        seat, self._seat, self._reading = self._seat, None, None
        if seat is None:
            return
        with anyio.move_on_after(CLOSE_DEADLINE, shield=True):
            try:
                await seat.aclose()
            except Exception:
                log.exception("stage %s could not leave %s", self.name, self._named)

    def resized(self, size: TtySize) -> None:
        """The terminal's size is now this."""
        if self._reading is not None:
            self._reading.resized(size)

    @property
    def _named(self) -> str:
        return f"session {self._session.metadata.name}"

    async def _again(self) -> bool:
        try:
            await self.begin()
        except UnavailableError as error:
            log.debug("%s", error)
        return self._seat is not None

    async def _feed(self, sight: Sight) -> str | None:
        """Feed until the end (None), or until the stage fails (why)."""
        if self._seat is None:
            return "it has no seat"
        try:
            await self._fed(self._seat, sight)
        except ConflictError:
            raise
        except Exception as error:
            return _why(error, TAKE_DEADLINE)
        finally:
            await self.leave()
        return None

    async def _fed(self, seat: Seat, sight: Sight) -> None:
        if seat.ended:
            return
        backlog = Backlog()
        size = self._session.spec.tty if seat.offset == 0 else None
        self._reading = Reading(sight, backlog, since=seat.offset, size=size, now=self._now)
        async with background() as group:
            group.start_soon(self._reading.run)
            while True:
                events = await backlog.take()
                await self._take(seat, events)
                if isinstance(events[-1], Ended):
                    return

    async def _take(self, seat: Seat, events: list[StageEvent]) -> None:
        with anyio.fail_after(TAKE_DEADLINE + _MARGIN):
            await seat.take(events)


def _why(error: Exception, deadline: float) -> str:
    """What a person reads about a stage that failed."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {deadline:g} s"
    return error.message if isinstance(error, SacError) else f"{type(error).__name__}: {error}"
