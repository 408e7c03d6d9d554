"""Raw requests and sockets, so that a test says every byte of the head itself."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from sac_core.server.local import Server
from server_fakes import TOKEN, FakeCore


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Running:
    """A server under test."""

    core: FakeCore
    port: int
    server: Server
    http: httpx2.AsyncClient
    prefix: str = field(default="")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def raw(self, method: str, path: str, *headers: str, host: str | None = "", body: bytes = b"") -> Answer:
        """One request with just these header lines. ``host`` empty is the right one, None sends none."""
        lines = [f"{method} {path} HTTP/1.1", "Connection: close", *headers]
        if host is not None:
            lines.insert(1, f"Host: {host or f'127.0.0.1:{self.port}'}")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return await exchange(self.port, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    async def handshake(self, path: str, protocol: str, *headers: str, host: str | None = "") -> Answer:
        """A WebSocket handshake; the socket is dropped when it was accepted (101)."""
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}")
        protocols = (f"Sec-WebSocket-Protocol: {protocol}",) if protocol else ()
        lines = [f"GET {path} HTTP/1.1", "Connection: Upgrade", *upgrade, *protocols, *headers]
        if host is not None:
            lines.insert(1, f"Host: {host or f'127.0.0.1:{self.port}'}")
        return await exchange(self.port, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    @asynccontextmanager
    async def socket(
        self, path: str, protocol: str, *more: str, token: str | None = TOKEN, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers.update(options.pop("headers", {}))
        async with connect(
            f"ws://127.0.0.1:{self.port}{path}",
            subprotocols=[Subprotocol(protocol), *map(Subprotocol, more)],
            additional_headers=headers,
            compression=None,
            proxy=None,
            close_timeout=1,
            **options,
        ) as socket:
            yield socket


async def exchange(port: int, request: bytes) -> Answer:
    with anyio.fail_after(10):
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(request)
            received = b""
            while b"\r\n\r\n" not in received or not received.startswith(b"HTTP/1.1 101"):
                try:
                    received += await stream.receive()
                except anyio.EndOfStream:
                    break
    return parse_answer(received)


def parse_answer(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Answer(int(first.split(" ")[1]) if first else 0, {k.lower(): v for k, v in headers.items()}, body)


async def closed(socket: ClientConnection, within: float = 10) -> int:
    """The close code that the server sends; what still comes before it is dropped."""
    with anyio.fail_after(within):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else 1006


async def text(socket: ClientConnection) -> dict[str, Any]:
    """The next text frame."""
    with anyio.fail_after(10):
        while True:
            message = await socket.recv()
            if isinstance(message, str):
                found: dict[str, Any] = json.loads(message)
                return found


async def until(condition: Callable[[], Any], within: float = 10) -> None:
    """Wait for a condition, with a deadline."""
    with anyio.fail_after(within):
        while not condition():  # noqa: ASYNC110 - a condition outside of our tasks has no event
            await anyio.sleep(0.01)
