"""How a link's bytes travel: straight through a unix socket, or over any other byte stream with two tasks."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import ByteStream, SocketAttribute, UNIXSocketStream

from sac_core.contracts.background import background

_LEAST, _MOST = 16 * 1024, 256 * 1024
_MAX_BACKLOG = 1024 * 1024
_CLOSED = "the holder closed the stream"


class Carrier(ABC):
    """Sends in order, and tells what comes: ``on_data`` with every piece, ``on_lost`` once with what went wrong.

    A holder that takes nothing for ``deadline`` seconds is lost.
    """

    def __init__(self, deadline: float, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]) -> None:
        self._deadline = deadline
        self._on_data = on_data
        self._on_lost = on_lost
        self._out = bytearray()
        self._room: anyio.Event | None = None
        self._lost = False

    @abstractmethod
    def post(self, frame: bytes) -> None:
        """Send, now or as soon as there is room."""

    async def room(self) -> None:
        """Wait while too much has not been taken."""
        while len(self._out) > _MAX_BACKLOG and not self._lost:
            if self._room is None:
                self._room = anyio.Event()
            await self._room.wait()

    def lose(self, message: str) -> None:
        """Nothing more is sent or told."""
        if not self._lost:
            self._lost = True
            self._out.clear()
            self._make_room()
            self._on_lost(message)

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set()


class SocketCarrier(Carrier):
    """Reads and writes the socket from the event loop's own callbacks: no task is between a key and its echo."""

    def __init__(
        self, sock: socket.socket, deadline: float, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        super().__init__(deadline, on_data, on_lost)
        self._sock = sock
        self._size = _LEAST
        self._loop = asyncio.get_running_loop()
        self._stall: asyncio.TimerHandle | None = None
        self._loop.add_reader(sock, self._readable)

    def post(self, frame: bytes) -> None:
        if self._lost:
            return
        if self._out:
            self._out += frame
            return
        sent = self._send(frame)
        if sent < len(frame):
            self._out += memoryview(frame)[sent:]
            self._loop.add_writer(self._sock, self._writable)
            self._wait_for_progress()

    def lose(self, message: str) -> None:
        if not self._lost:
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            if self._stall is not None:
                self._stall.cancel()
        super().lose(message)

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:  # told later: the caller is not yet ready to be told
            self._loop.call_soon(self.lose, _CLOSED)
            return len(data)

    def _writable(self) -> None:
        sent = self._send(self._out)
        del self._out[:sent]
        if sent and self._stall is not None:
            self._stall.cancel()
        if self._out:
            self._wait_for_progress()
        else:
            self._loop.remove_writer(self._sock)
        if len(self._out) <= _MAX_BACKLOG:
            self._make_room()

    def _wait_for_progress(self) -> None:
        if self._stall is None or self._stall.cancelled():
            self._stall = self._loop.call_later(self._deadline, self.lose, _stalled(self._deadline))

    def _readable(self) -> None:
        try:
            data = self._sock.recv(self._size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.lose(_CLOSED)
            return
        if len(data) == self._size:
            self._size = min(self._size * 4, _MOST)
        elif len(data) * 4 < self._size:
            self._size = max(self._size // 2, _LEAST)
        self._on_data(data)


class StreamCarrier(Carrier):
    """Any byte stream: one task reads, one writes."""

    def __init__(
        self, stream: ByteStream, deadline: float, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        super().__init__(deadline, on_data, on_lost)
        self._stream = stream
        self._outgoing = anyio.Event()

    def post(self, frame: bytes) -> None:
        if not self._lost:
            self._out += frame
            self._outgoing.set()

    def lose(self, message: str) -> None:
        super().lose(message)
        self._outgoing.set()

    async def write(self) -> None:
        """The writer task."""
        while not self._lost:
            await self._outgoing.wait()
            self._outgoing = anyio.Event()
            data, self._out = bytes(self._out), bytearray()
            self._make_room()
            await self._send(data)

    async def _send(self, data: bytes) -> None:
        try:
            with anyio.fail_after(self._deadline):
                await self._stream.send(data)
        except TimeoutError:
            self.lose(_stalled(self._deadline))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            self.lose(_CLOSED)

    async def read(self) -> None:
        """The reader task."""
        try:
            while not self._lost:
                self._on_data(await self._stream.receive(_MOST))
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            self.lose(_CLOSED)


def _stalled(deadline: float) -> str:
    return f"the holder took nothing for {deadline:g} s"


@asynccontextmanager
async def carry(
    stream: ByteStream, deadline: float, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]
) -> AsyncIterator[Carrier]:
    """Carry over ``stream``, which is closed at the end."""
    try:
        sock = _socket_of(stream)
        if sock is not None:
            direct = SocketCarrier(sock, deadline, on_data, on_lost)
            try:
                yield direct
            finally:
                direct.lose("the link was closed")
        else:
            async with _tasks(StreamCarrier(stream, deadline, on_data, on_lost)) as carrier:
                yield carrier
    finally:
        # Only now: a stream that is closed while its reader is being cancelled may never wake the reader.
        with anyio.CancelScope(shield=True), suppress(OSError):
            await stream.aclose()


def _socket_of(stream: ByteStream) -> socket.socket | None:
    """The socket below a stream, if nobody else reads it: asyncio's transports do, a unix stream of anyio does not."""
    if isinstance(stream, UNIXSocketStream):
        sock = stream.extra(SocketAttribute.raw_socket, None)
        if isinstance(sock, socket.socket):
            return sock
    return None


@asynccontextmanager
async def _tasks(carrier: StreamCarrier) -> AsyncIterator[Carrier]:
    async with background() as tasks:
        tasks.start_soon(carrier.read, name="holder link: read")
        tasks.start_soon(carrier.write, name="holder link: write")
        try:
            yield carrier
        finally:
            carrier.lose("the link was closed")
