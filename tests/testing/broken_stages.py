"""A stage that keeps every promise, and those that break one each, as plausible mistakes do."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from sac_core.contracts.context import PluginContext, State
from sac_core.contracts.stage import Ended, Missed, Need, Printed, Resized, Seat, Stage, StageEvent
from sac_core.models.session import Session
from sac_core.testing.stage_suite import StageContract


class GoodSeat(Seat):
    """Keeps all of a session in one entry of durable state, so that offset, end and output change together."""

    def __init__(self, state: State, uid: str, known: dict[str, Any]) -> None:
        self._state, self._uid, self._known = state, uid, known
        self.offset, self.ended = known["offset"], known["ended"]

    def __repr__(self) -> str:
        return f"seat at {self.offset}"

    async def take(self, events: Sequence[StageEvent]) -> None:
        known = self._known
        for event in events:
            known = self.passed(known, event)
        await self.keep(known)
        self._known = known

    def passed(self, known: dict[str, Any], event: StageEvent) -> dict[str, Any]:
        """What is known behind an event."""
        match event:
            case Printed():
                return {**known, "offset": event.offset + len(event.data), "pieces": (event.data, known["pieces"])}
            case Missed():
                return {**known, "offset": event.end}
            case Ended():
                return {**known, "ended": True}
        return known

    async def keep(self, known: dict[str, Any]) -> None:
        """Write it down."""
        await asyncio.sleep(0)
        await self._state.put(self._uid, known)

    async def aclose(self) -> None:
        """Nothing to give back."""


class GoodStage(Stage):
    """Sees every session of which a recording is asked for."""

    seat: ClassVar[type[GoodSeat]] = GoodSeat

    def __init__(self, state: State) -> None:
        self._state = state

    def need(self, session: Session) -> Need:
        return "best_effort" if session.spec.recording else "none"

    async def begin(self, session: Session) -> Seat:
        return self.seat(self._state, session.metadata.uid, await self.known(session))

    async def known(self, session: Session) -> dict[str, Any]:
        """What is kept of a session."""
        entry = await self._state.get(session.metadata.uid)
        return dict(entry.value) if entry else {"offset": 0, "ended": False, "pieces": ()}

    async def output(self, session: Session) -> bytes:
        """The output that is kept."""
        pieces, found = (await self.known(session))["pieces"], list[bytes]()
        while pieces:
            piece, pieces = pieces
            found.append(piece)
        return b"".join(reversed(found))


class ChangesMind(GoodStage):
    """Wants only what has not begun."""

    def need(self, session: Session) -> Need:
        return "best_effort" if session.status.phase == "Pending" else "none"


class AsksDisk(GoodStage):
    """Looks whether there is a file that says so."""

    def need(self, session: Session) -> Need:
        return "strict" if Path(__file__).with_suffix(".strict").exists() or Path(__file__).read_bytes() else "none"


class BeginsBehindHeader(GoodStage):
    """Counts the header that it writes as output."""

    async def known(self, session: Session) -> dict[str, Any]:
        known = await super().known(session)
        return {**known, "offset": known["offset"] or 11}


class ForgetsOffset(GoodStage):
    """Asks for all again, whatever it has."""

    async def begin(self, session: Session) -> Seat:
        seat = await super().begin(session)
        seat.offset = 0
        return seat


class CountsSizes(GoodStage):
    """Counts whatever it writes."""

    class CountingSeat(GoodSeat):
        """Adds the length of a resize to the offset."""

        def passed(self, known: dict[str, Any], event: StageEvent) -> dict[str, Any]:
            more = 16 if isinstance(event, Resized) else 0
            known = super().passed(known, event)
            return {**known, "offset": known["offset"] + more}

    seat = CountingSeat


class CountsBytes(GoodStage):
    """Is where it has bytes for, and asks for ever for what nobody has."""

    async def begin(self, session: Session) -> Seat:
        seat = await super().begin(session)
        seat.offset = len(await self.output(session))
        return seat


class ForgetsEnd(GoodStage):
    """Keeps output alone."""

    async def begin(self, session: Session) -> Seat:
        seat = await super().begin(session)
        seat.ended = False
        return seat


class NeedsOutput(GoodStage):
    """Writes nothing as long as there is nothing to write."""

    class EmptySeat(GoodSeat):
        """Skips a batch without output."""

        async def take(self, events: Sequence[StageEvent]) -> None:
            if self._known["offset"] or any(isinstance(event, Printed | Missed) for event in events):
                await super().take(events)

    seat = EmptySeat


class KeepsInMemory(GoodStage):
    """Knows all until SAC is started again."""

    def __init__(self, state: State) -> None:
        super().__init__(type(state)())


class LeavesOnce(GoodStage):
    """Cannot be closed twice."""

    class DoorSeat(GoodSeat):
        """Has a door that is gone once it was closed."""

        async def aclose(self) -> None:
            del self._uid

    seat = DoorSeat


class ReadsText(GoodStage):
    """Takes output for text, event by event."""

    class TextSeat(GoodSeat):
        """Decodes."""

        def passed(self, known: dict[str, Any], event: StageEvent) -> dict[str, Any]:
            known = super().passed(known, event)
            if isinstance(event, Printed):
                known["pieces"] = (event.data.decode(errors="replace").encode(), known["pieces"][1])
            return known

    seat = TextSeat


class FlushesAtEnd(GoodStage):
    """Keeps at once where it is, and the output when the seat is left in good order."""

    class LazySeat(GoodSeat):
        """Holds the newest piece back."""

        async def keep(self, known: dict[str, Any]) -> None:
            held_back = known["pieces"] and not known["ended"]
            await super().keep({**known, "pieces": known["pieces"][1]} if held_back else known)

        async def aclose(self) -> None:
            await super().keep(self._known)

    seat = LazySeat


class PlaceBeforeOutput(GoodStage):
    """Writes the new place, then the output."""

    class HastySeat(GoodSeat):
        """Two writes for one take."""

        async def keep(self, known: dict[str, Any]) -> None:
            await self._state.put(self._uid, {**self._known, "offset": known["offset"]})
            await super().keep(known)

    seat = HastySeat


class SlowForEach(GoodStage):
    """Waits for each event alone."""

    class SlowSeat(GoodSeat):
        """A little, many times."""

        async def take(self, events: Sequence[StageEvent]) -> None:
            for event in events:
                await asyncio.sleep(0.0005)
                await super().take([event])

    seat = SlowSeat


class BlocksLoop(GoodStage):
    """Compresses on the loop."""

    class BlockingSeat(GoodSeat):
        """Takes its time."""

        async def keep(self, known: dict[str, Any]) -> None:
            time.sleep(0.06)  # noqa: ASYNC251 - the fault itself
            await super().keep(known)

    seat = BlockingSeat


class SharesPlace(GoodStage):
    """Keeps what it works on where the next session overwrites it."""

    class SharedSeat(GoodSeat):
        """All of them have one."""

        working: ClassVar[dict[str, Any]] = {}

        async def keep(self, known: dict[str, Any]) -> None:
            type(self).working = known
            await asyncio.sleep(0)
            await super().keep(type(self).working)

    seat = SharedSeat


class LeaksTask(GoodStage):
    """Flushes for ever."""

    async def begin(self, session: Session) -> Seat:
        self._flushing = asyncio.create_task(asyncio.sleep(3600.0), name="leaked flusher")
        return await super().begin(session)


class LogsOutput(GoodStage):
    """Writes down what it sees."""

    class LoggingSeat(GoodSeat):
        """At the level of debugging."""

        def passed(self, known: dict[str, Any], event: StageEvent) -> dict[str, Any]:
            if isinstance(event, Printed):
                logging.getLogger("acme").debug("seen: %r", event.data)
            return super().passed(known, event)

    seat = LoggingSeat


class BrokenContract(StageContract):
    """The suite on one of them: subclasses say which."""

    broken: type[GoodStage]

    def open_stage(self, context: PluginContext) -> AbstractAsyncContextManager[Stage]:
        return self._open(context.state)

    async def kept(self, stage: Stage, session: Session) -> bytes | None:
        assert isinstance(stage, GoodStage)
        return await stage.output(session)

    @asynccontextmanager
    async def _open(self, state: State) -> AsyncIterator[Stage]:
        yield self.broken(state)
