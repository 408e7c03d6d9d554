"""Stages behind a guard: every session has a seat of its own, and one that hangs there harms no other."""

from __future__ import annotations

from collections.abc import Sequence

from sac_core.contracts.stage import BEGIN_DEADLINE, TAKE_DEADLINE, Need, Seat, Stage, StageEvent
from sac_core.core.guard import Guard
from sac_core.hooks.troubles import Troubles
from sac_core.models.session import Session

DEADLINE = min(BEGIN_DEADLINE, TAKE_DEADLINE)
"""Seconds in which a stage takes a seat, and a seat takes events."""


class GuardedStage(Stage):
    """A stage behind a guard; what it raises and is not ours becomes `UnavailableError`."""

    def __init__(self, name: str, stage: Stage, troubles: Troubles) -> None:
        self._name, self._stage, self._troubles = name, stage, troubles
        self.lost_reason = stage.lost_reason

    def need(self, session: Session) -> Need:
        try:
            return self._stage.need(session)
        except (Exception, SystemExit) as error:
            self._troubles.note("stage", self._name, f"need raised {type(error).__name__}")
            raise RuntimeError(f"need raised {type(error).__name__}") from error

    async def begin(self, session: Session) -> Seat:
        guard = Guard("stage", self._name, self._troubles, DEADLINE, pause=0.0)
        return GuardedSeat(await guard.call("begin", lambda: self._stage.begin(session)), guard)


class GuardedSeat(Seat):
    """A seat behind its session's guard."""

    def __init__(self, seat: Seat, guard: Guard) -> None:
        self._seat, self._guard = seat, guard
        self.offset, self.ended = seat.offset, seat.ended

    async def take(self, events: Sequence[StageEvent]) -> None:
        await self._guard.call("take", lambda: self._seat.take(events))
        self.offset, self.ended = self._seat.offset, self._seat.ended

    async def aclose(self) -> None:
        await self._guard.call("aclose", self._seat.aclose)
