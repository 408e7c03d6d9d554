"""Both ends of what is carried to a port, in the test's hands: a body's server of raw bytes, and an ASGI client."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream
from websockets.utils import accept_key

from live_server import until

Serves = Callable[[SocketStream], Awaitable[None]]


class PortClient:
    """An ASGI client: ``sent`` is what it got, and what it says is put in before."""

    def __init__(self, *said: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self._said = list(said)
        self._left = anyio.Event()

    async def receive(self) -> Any:
        if self._said:
            return self._said.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def got(self, found: Callable[[dict[str, Any]], bool]) -> None:
        """Wait for such a message."""

        async def there() -> bool:
            return any(found(message) for message in self.sent)

        await until(there, seconds=30)


class Spoken(ByteStream):
    """A body that says these pieces, each in one go, then nothing more; it takes everything."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        await anyio.lowlevel.checkpoint()
        if not self._pieces:
            raise anyio.EndOfStream
        return self._pieces.pop(0)

    async def send(self, item: bytes) -> None:
        await anyio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def body_that(serves: Serves) -> AsyncIterator[ByteStream]:
    """A stream to a server that takes one connection; what it has not read fills small buffers."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await serves(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    listener.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        async with await anyio.connect_tcp("127.0.0.1", listener.extra(SocketAttribute.local_port)) as stream:
            stream.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
            yield stream
        tasks.cancel_scope.cancel()


async def head_of(stream: SocketStream) -> bytes:
    """The request's head; nothing behind it is read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await stream.receive(1)
    return head


async def take_socket(stream: SocketStream) -> bytes:
    """Read the head of a request for a WebSocket, and take it; gives that head."""
    head = await head_of(stream)
    key = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"sec-websocket-key"))
    written = head[head.lower().index(key) :].split(b"\r\n")[0].partition(b":")[2].strip()
    await stream.send(taken(written.decode()))
    return head


def taken(key: str) -> bytes:
    """The answer that takes a WebSocket."""
    start = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return start + f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
