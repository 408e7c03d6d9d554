"""Connections for HTTP to the engine: asyncio's own, on which a read may be cancelled at any moment.

A unix stream of anyio tells the event loop to finish a future that a cancelled read has left behind, when data comes in
the very same moment: `InvalidStateError`, in nobody's call. TCP under TLS has asyncio's transports below it already.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import httpcore2
from httpcore2 import SOCKET_OPTION

from sac_core.errors import ConfigurationError
from sac_executor_docker.address import Address

SIZE = 256 * 1024
"""Bytes that are read at once, and of what arrived and is not read yet no more than three times as many."""
FAILURES = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError)
"""What calls of the pool raise when the engine cannot be reached or does not answer."""

_IDLE = 30.0
_KEPT = 8

Pool = httpcore2.AsyncConnectionPool
Request = httpcore2.Request
Response = httpcore2.Response
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


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


async def _connected(connect: Callable[[], Awaitable[_Streams]], timeout: float | None) -> Connection:
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


def pool_of(address: Address) -> Pool:
    """Connections to an engine, as many at once as are asked for."""
    return Pool(
        uds=address.socket,
        ssl_context=_context(address),
        max_connections=None,
        max_keepalive_connections=_KEPT,
        keepalive_expiry=_IDLE,
        network_backend=Backend(tls=address.tls is not None),
    )


def _context(address: Address) -> ssl.SSLContext | None:
    if address.tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=str(address.tls / "ca.pem"))
        context.load_cert_chain(address.tls / "cert.pem", address.tls / "key.pem")
    except OSError as error:  # of the ssl module too
        message = f"the certificates in {str(address.tls)!r} cannot be used: {error}"
        hint = "put ca.pem, cert.pem and key.pem there"
        raise ConfigurationError(message, field="plugins.docker.tls", hint=hint) from None
    return context
