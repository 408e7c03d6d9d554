"""How quickly a seat's reading goes at most: a flood must not cost its session's viewers more than a little."""

from __future__ import annotations

from collections.abc import Callable

import anyio

RATE = 8 * 1024 * 1024
"""Bytes a second that are read for one seat while a flood lasts."""

BURST = 16 * 1024 * 1024
"""Bytes that are read at once, after a while with less."""


class Pace:
    """A budget of bytes that fills up with time."""

    def __init__(self, now: Callable[[], float] = anyio.current_time) -> None:
        self._now = now
        self._left = float(BURST)
        self._at = now()

    def spend(self, count: int) -> float:
        """Take bytes from the budget; returns the seconds to wait until it is no longer overdrawn."""
        now = self._now()
        self._left = min(BURST, self._left + (now - self._at) * RATE) - count
        self._at = now
        return max(0.0, -self._left / RATE)
