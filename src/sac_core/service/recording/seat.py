"""The recorder's seat at one session: what it takes becomes a chunk, kept before it takes more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio

from sac_core.contracts.chunks import StoredChunk
from sac_core.contracts.stage import TAKE_DEADLINE, Ended, Missed, Printed, Seat, StageEvent
from sac_core.errors import ConflictError, UnavailableError
from sac_core.service.recording.events import KeptEvent, kept, packed
from sac_core.service.recording.sealed import Safe, chained
from sac_core.service.recording.writing import ChunkWriter

_MICROSECOND = timedelta(microseconds=1)
_URGENT = 256 * 1024
"""Bytes that are written at once."""

_PAUSE = 0.1
_TRY_FOR = TAKE_DEADLINE * 0.7


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recording is: the number and digest of its newest chunk, and what was seen up to there."""

    number: int = 0
    digest: str = ""
    offset: int = 0
    missed: int = 0
    micros: int = 0
    last: bool = False

    @classmethod
    def behind(cls, chunk: StoredChunk | None) -> Place:
        """The place behind a chunk; the beginning when there is none."""
        if chunk is None:
            return cls()
        return cls(chunk.number, chunk.digest, chunk.offset, chunk.missed, chunk.micros, chunk.last)

    def passed(self, event: StageEvent, started: datetime) -> Place:
        """The place behind an event; time never goes back."""
        micros = max(self.micros, (event.at - started) // _MICROSECOND)
        match event:
            case Printed():
                return replace(self, micros=micros, offset=event.offset + len(event.data))
            case Missed():
                return replace(self, micros=micros, offset=event.end, missed=self.missed + event.end - event.start)
            case Ended():
                return replace(self, micros=micros, last=True)
        return replace(self, micros=micros)


class RecorderSeat(Seat):
    """Writes chunks. ``complete`` says that the last one is kept."""

    def __init__(
        self,
        safe: Safe,
        writer: ChunkWriter,
        place: Place,
        started: datetime,
        complete: Callable[[], Awaitable[None]],
    ) -> None:
        self.offset = place.offset
        self.ended = place.last
        self._safe = safe
        self._writer = writer
        self._place = place
        self._started = started
        self._complete = complete

    async def take(self, events: Sequence[StageEvent]) -> None:
        place, noted = self._place, list[KeptEvent]()
        for event in events:
            place = place.passed(event, self._started)
            noted.append(kept(event, place.micros))
        data = packed(noted)
        self._place = await self._written(replace(place, number=place.number + 1), data)
        self.offset, self.ended = place.offset, place.last
        if place.last:
            await self._complete()

    async def aclose(self) -> None:
        """Nothing is kept here that was not written."""

    async def _written(self, place: Place, data: bytes) -> Place:
        sealed = await self._safe.sealed(place.number, data)
        place = replace(place, digest=chained(place.digest, sealed))
        chunk = StoredChunk(
            recording=self._safe.recording,
            number=place.number,
            offset=place.offset,
            missed=place.missed,
            micros=place.micros,
            last=place.last,
            digest=place.digest,
            data=sealed,
        )
        if not await self._added(chunk, urgent=place.last or len(data) >= _URGENT):
            await self._check_ours(chunk)
        return place

    async def _added(self, chunk: StoredChunk, *, urgent: bool) -> bool:
        """Add a chunk, and try again for a moment when the database does not answer."""
        until = anyio.current_time() + _TRY_FOR
        while True:
            try:
                return await self._writer.add(chunk, urgent=urgent)
            except UnavailableError:
                if anyio.current_time() >= until:
                    raise
            await anyio.sleep(_PAUSE)

    async def _check_ours(self, chunk: StoredChunk) -> None:
        """The number was taken: by us, when an earlier try was kept and we were told that it failed, or by another."""
        there = await self._safe.chunks.after(chunk.recording, chunk.number - 1, limit=1)
        if not there or there[0].digest != chunk.digest:
            raise ConflictError("another server records this session")
