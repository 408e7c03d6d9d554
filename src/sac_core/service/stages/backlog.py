"""What waits for one seat: bounded by its bytes, in order."""

from __future__ import annotations

import anyio

from sac_core.contracts.stage import Printed, Resized, StageEvent

LIMIT = 4 * 1024 * 1024
"""Bytes that wait for one seat; then the reading waits, and the log drops what it cannot keep."""


class Backlog:
    """Who reads adds, who feeds takes all there is."""

    def __init__(self) -> None:
        self._events: list[StageEvent] = []
        self._bytes = 0
        self._changed = anyio.Event()

    def add(self, event: StageEvent) -> None:
        """Put an event behind the others; of sizes that follow each other the last one counts."""
        if isinstance(event, Resized) and self._events and isinstance(self._events[-1], Resized):
            self._events.pop()
        self._events.append(event)
        if isinstance(event, Printed):
            self._bytes += len(event.data)
        self._tell()

    async def room(self) -> None:
        """Wait until less than the limit waits."""
        while self._bytes >= LIMIT:
            await self._changed.wait()

    async def take(self) -> list[StageEvent]:
        """All that waits; at least one event."""
        while not self._events:
            await self._changed.wait()
        events, self._events, self._bytes = self._events, [], 0
        self._tell()
        return events

    def _tell(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
