"""Reads a session's process for one seat, from an offset to the end, over as many links as it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import anyio

from sac_core.contracts.stage import Ended, Missed, Printed, Resized
from sac_core.errors import NotFoundError, SacError
from sac_core.models.process import Chunk, Exit, TtySize
from sac_core.service.hub import Source
from sac_core.service.stages.backlog import Backlog
from sac_core.service.stages.pace import Pace
from sac_core.service.stages.sight import Sight

log = logging.getLogger("sac.stages")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0


class Reading:
    """What is read goes into a backlog, and waits there for the seat."""

    def __init__(
        self, sight: Sight, backlog: Backlog, *, since: int, size: TtySize | None, now: Callable[[], datetime]
    ) -> None:
        self._sight = sight
        self._backlog = backlog
        self._offset = since
        self._size = size
        self._now = now
        self._pace = Pace()

    async def run(self) -> None:
        """Read to the end, which is the last event."""
        pause = _FIRST_PAUSE
        while True:
            before = self._offset
            try:
                exit = await self._read(await self._sight.find())
                break
            except NotFoundError:
                exit = Exit(reason="Deleted")
                break
            except SacError as error:
                log.info("a session is not found again yet: %s", error)
            pause = _FIRST_PAUSE if self._offset > before else min(pause * 2, _LONGEST_PAUSE)
            await anyio.sleep(pause)
        self._backlog.add(Ended(exit, self._now()))

    def resized(self, size: TtySize) -> None:
        """The terminal's size is now this."""
        if size != self._size:
            self._size = size
            self._backlog.add(Resized(size, self._now()))

    async def _read(self, source: Source) -> Exit:
        self.resized(source.size)
        async for chunk in source.process.output(self._offset):
            self._passed(chunk)
            await self._backlog.room()
            await self._slowed(len(chunk.data))
        return await source.process.wait()

    async def _slowed(self, count: int) -> None:
        seconds = self._pace.spend(count)
        if seconds > 0:
            await anyio.sleep(seconds)

    def _passed(self, chunk: Chunk) -> None:
        now = self._now()
        if chunk.offset > self._offset:
            self._backlog.add(Missed(self._offset, chunk.offset, now))
        data = chunk.data[max(0, self._offset - chunk.offset) :]
        self._offset = max(self._offset, chunk.end)
        if data:
            self._backlog.add(Printed(chunk.end - len(data), data, now))
