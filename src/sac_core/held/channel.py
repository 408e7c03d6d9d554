"""One channel of a link: the output that has arrived, the credit given for it, the input on its way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from sac_core.errors import LostError
from sac_core.held.records import malformed, number_of
from sac_core.models.process import Chunk


class Channel:
    """The client's end of an attachment. At most ``window`` bytes of output wait here to be read."""

    __slots__ = ("_chunks", "_credit", "_eaten", "_held", "_waiters", "closed", "ended", "lost", "number", "offset",
                 "received", "sent", "window")  # fmt: skip

    def __init__(self, number: int, window: int, credit: Callable[[int, int], None]) -> None:
        self.number = number
        self.window = window
        self.offset = 0
        self.sent = 0
        self.received = 0
        self.closed = False
        self.ended = False
        self.lost: LostError | None = None
        self._credit = credit
        self._chunks: deque[Chunk] | None = None
        self._held = 0
        self._eaten = 0
        self._waiters: list[asyncio.Future[None]] = []

    def put(self, chunk: Chunk) -> None:
        """Output has arrived; raises `LostError` when the holder sends more than it may, or backwards."""
        size = len(chunk.data)
        self._held += size
        if self._held > self.window or chunk.offset < self.offset:
            raise malformed("output frame: more than its credit, or out of order")
        self.offset = chunk.offset + size
        if self._chunks is None:
            self._chunks = deque()
        self._chunks.append(chunk)
        self._wake()

    def told(self, event: dict[str, Any]) -> None:
        """An event of this channel."""
        kind = event.get("event")
        if kind == "exit":
            self.ended = True
        elif kind == "input":
            self.received = number_of(event, "received", "input event")
            self.closed = self.closed or event.get("closed") is True
        elif kind == "forgotten":
            self.lost = LostError("the process was forgotten")
        self._wake()

    def lose(self, error: LostError) -> None:
        """Nothing follows."""
        self.lost = error
        self._wake()

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Output in order, until the process's last byte. What was taken is credited when the next is asked for."""
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                yield chunk
                self._ate(len(chunk.data))
            self._chunks = None
            if self.ended:
                return
            await self.changed()

    def _ate(self, size: int) -> None:
        self._held -= size
        self._eaten += size
        if self._eaten * 4 >= self.window and not self.ended and self.lost is None:
            self._credit(self.number, self._eaten)
            self._eaten = 0

    async def changed(self) -> None:
        """Wait for the next event or output; raises `LostError` when none can come."""
        if self.lost is not None:
            raise LostError(self.lost.message)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
