"""A clock that moves only when it is told to."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)


class SimulatedClock:
    """Time in seconds since `EPOCH`. Deterministic: timers fire in order of time, then of registration."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def seconds(self) -> float:
        """Seconds since the clock was made."""
        return self._seconds

    def now(self) -> datetime:
        """The simulated wall clock, in UTC; fits `PluginContext.now`."""
        return EPOCH + timedelta(seconds=self._seconds)

    def call_at(self, seconds: float, action: Callable[[], None]) -> None:
        """Run ``action`` when the clock reaches ``seconds``; at the next `advance` when that has passed."""
        heapq.heappush(self._timers, (seconds, next(self._order), action))

    def advance(self, seconds: float) -> None:
        """Move on, firing what is due on the way, each timer at its own time."""
        until = self._seconds + seconds
        while self._timers and self._timers[0][0] <= until:
            due, _, action = heapq.heappop(self._timers)
            self._seconds = max(self._seconds, due)
            action()
        self._seconds = until

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by ``seconds``; with none, only let others run."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        reached = anyio.Event()
        self.call_at(self._seconds + seconds, reached.set)
        await reached.wait()
