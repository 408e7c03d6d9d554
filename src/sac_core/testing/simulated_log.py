"""The output of a simulated process, bounded as a holder's log is."""

from __future__ import annotations

from collections import deque

import anyio

from sac_core.models.process import Chunk, Overflow, Stream

DROP_CAPACITY = 1024 * 1024
BLOCK_CAPACITY = 256 * 1024


class Changes:
    """Tells everyone who waits that something is different now."""

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def tell(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.set()

    async def wait(self) -> None:
        """Until the next `tell`."""
        self._event = self._event or anyio.Event()
        await self._event.wait()


class SimulatedLog:
    """Chunks in order. ``drop`` forgets the oldest over its capacity, ``block`` keeps all that was not read yet."""

    def __init__(self, overflow: Overflow) -> None:
        self.overflow = overflow
        self.capacity = DROP_CAPACITY if overflow == "drop" else BLOCK_CAPACITY
        self.start = self.end = 0
        self._chunks: deque[Chunk] = deque()

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return self.end - self.start

    def has_room(self) -> bool:
        """Whether a write may go on now."""
        return self.overflow == "drop" or self.held < self.capacity

    def append(self, stream: Stream, data: bytes) -> None:
        self._chunks.append(Chunk(stream, self.end, data))
        self.end += len(data)
        while self.overflow == "drop" and self.held > self.capacity:
            self._forget()

    def read(self, since: int) -> Chunk | None:
        """The next chunk from offset ``since`` on, cut to begin there; None when nothing is there yet."""
        for chunk in self._chunks:
            if chunk.end > since:
                skip = max(0, since - chunk.offset)
                return Chunk(chunk.stream, chunk.offset + skip, chunk.data[skip:])
        return None

    def consumed(self, offset: int) -> None:
        """A reader has everything before ``offset``: ``block`` makes room."""
        while self.overflow == "block" and self._chunks and self._chunks[0].end <= offset:
            self._forget()

    def _forget(self) -> None:
        self._chunks.popleft()
        self.start = self._chunks[0].offset if self._chunks else self.end
