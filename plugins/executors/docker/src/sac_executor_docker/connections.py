"""Connections for HTTP to the engine: asyncio's own, on which a read may be cancelled at any moment.

A unix stream of anyio tells the event loop to finish a future that a cancelled read has left behind, when data comes in
the very same moment: `InvalidStateError`, in nobody's call. TCP under TLS has asyncio's transports below it already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import httpcore2
from httpcore2 import SOCKET_OPTION

SIZE = 256 * 1024
"""Bytes that are read at once, and of what arrived and is not read yet no more than three times as many."""
FAILURES = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError)
"""What calls of the pool raise when the engine cannot be reached or does not answer."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection(httpcore2.AsyncNetworkStream):
    """One connection. What was written has reached the kernel, so closing loses nothing of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        writer.transport.set_write_buffer_limits(high=0)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _failing_as(httpcore2.ReadTimeout, httpcore2.ReadError), anyio.fail_after(timeout):
            return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _failing_as(httpcore2.WriteTimeout, httpcore2.WriteError), anyio.fail_after(timeout):
            self._writer.write(buffer)
            await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    def get_extra_info(self, info: str) -> Any:
        """``writer`` ends the input alone; ``is_readable`` asks whether an idle connection has ended."""
        if info == "is_readable":
            return self._reader.at_eof() or self._writer.is_closing()
        return self._writer if info == "writer" else None


class Backend(httpcore2.AnyIOBackend):
    """Connects to sockets, and to ports without TLS; with ``tls`` to ports as httpcore does."""

    def __init__(self, *, tls: bool) -> None:
        self._tls = tls

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        return await _connected(lambda: asyncio.open_unix_connection(path, limit=SIZE), timeout)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        if self._tls:
            return await super().connect_tcp(host, port, timeout, local_address, socket_options)
        return await _connected(lambda: asyncio.open_connection(host, port, limit=SIZE), timeout)


async def _connected(connect: Callable[[], Awaitable[Streams]], timeout: float | None) -> Connection:
    with _failing_as(httpcore2.ConnectTimeout, httpcore2.ConnectError), anyio.fail_after(timeout):
        return Connection(*await connect())


@contextmanager
def _failing_as(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """Failures as httpcore's, with their words."""
    try:
        yield
    except TimeoutError as error:
        raise late("timed out") from error
    except OSError as error:
        raise failed(str(error)) from error
