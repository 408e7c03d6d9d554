"""Connections in a body, as streams: those that a listener at a unix socket of the body takes, and those dialled."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio
from anyio.abc import ByteStream

from sac_core.held.records import malformed
from sac_core.wire.holder import STREAM_WINDOW

if TYPE_CHECKING:
    from sac_core.held.link import HolderLink

MAX_UNTAKEN = 16
"""Streams that wait to be taken; one more is closed at once."""


class Listener:
    """Made by `HolderLink.listen`; iterate it, or `accept`, for each connection that a program in the body makes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._send, self._receive = anyio.create_memory_object_stream["BodyStream"](MAX_UNTAKEN)

    async def accept(self) -> BodyStream:
        """The next connection; raises `anyio.EndOfStream` when the listener or its link has been closed."""
        try:
            return await self._receive.receive()
        except anyio.ClosedResourceError:
            raise anyio.EndOfStream from None

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> BodyStream:
        try:
            return await self.accept()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    def offer(self, stream: BodyStream) -> bool:
        """Whether there is room for it."""
        try:
            self._send.send_nowait(stream)
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            return False
        return True

    def close(self) -> None:
        """Nothing more comes; what nobody took is dropped."""
        self._send.close()
        while True:
            try:
                self._receive.receive_nowait().drop()
            except (anyio.WouldBlock, anyio.EndOfStream, anyio.ClosedResourceError):
                break
        self._receive.close()


class BodyStream(ByteStream):
    """One connection with a program in the body. What it says is hostile bytes."""

    def __init__(self, link: HolderLink, number: int) -> None:
        self._link = link
        self._number = number
        self._data: deque[bytes] = deque()
        self._held = 0  # bytes here that nobody has read
        self._credit = STREAM_WINDOW
        self._ended = False
        self._said = False
        self._closed = False
        self._lost: str | None = None
        self._changed = anyio.Event()
        self._sending = anyio.Lock()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Bytes as they come; `anyio.EndOfStream` after the last."""
        while not self._data:
            self._check_open()
            if self._ended:
                raise anyio.EndOfStream
            self._check_lost()
            await self._changed.wait()
        piece = self._data.popleft()
        if len(piece) > max_bytes:
            self._data.appendleft(piece[max_bytes:])
            piece = piece[:max_bytes]
        self._held -= len(piece)
        self._link.credit_stream(self._number, len(piece))
        return piece

    async def send(self, item: bytes) -> None:
        """Returns when all is on its way; waits while the body does not read, and while another sends."""
        async with self._sending:
            await self._send_all(item)

    async def _send_all(self, item: bytes) -> None:
        start = 0
        while start < len(item):
            self._check_sending()
            if not self._credit:
                await self._changed.wait()
                continue
            piece = item[start : start + self._credit]
            self._credit -= len(piece)
            start += len(piece)
            await self._link.send_stream(self._number, bytes(piece))

    async def send_eof(self) -> None:
        """No more is sent; the body's side goes on."""
        self._check_sending()
        self._said = True
        await self._link.send_stream(self._number, b"")

    async def aclose(self) -> None:
        """Close both directions; safe to call again."""
        self.drop()

    def drop(self) -> None:
        """Close it at once."""
        if not self._closed:
            self._closed = True
            self._link.drop_stream(self._number)
            self._wake()

    def put(self, data: bytes) -> None:
        """Bytes have arrived; raises `LostError` when the holder sends more than it may."""
        self._held += len(data)
        if self._held > STREAM_WINDOW or self._ended:
            raise malformed("frame of a stream: more than its credit, or after its end")
        self._data.append(data)
        self._wake()

    def allow(self, count: int) -> None:
        """So much more may be sent."""
        self._credit = min(self._credit + count, STREAM_WINDOW)
        self._wake()

    def finish(self) -> None:
        """The body has said all."""
        self._ended = True
        self._wake()

    def lose(self, message: str) -> None:
        """Nothing can be sent any more, nothing follows."""
        self._lost = self._lost or message
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _check_open(self) -> None:
        if self._closed:
            raise anyio.ClosedResourceError

    def _check_sending(self) -> None:
        self._check_open()
        if self._said:
            raise anyio.ClosedResourceError
        self._check_lost()

    def _check_lost(self) -> None:
        if self._lost is not None:
            raise anyio.BrokenResourceError(self._lost)
