"""Places that bodies reach through SAC: connecting to one, and carrying bytes both ways.

The name is looked up once, every address that it has is judged, and one of those is connected to: a name that means
something else a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import os
import socket

import anyio
from anyio.abc import ByteStream, SocketStream

from sac_core.errors import ForbiddenError, UnavailableError

CONNECT_WITHIN = 15.0
"""Seconds to look a name up and to connect."""
QUIET = 900.0
"""Seconds without a byte in either direction after which a connection is closed."""


async def connect(host: str, port: int, *, private: bool) -> SocketStream:
    """Connect to a place; ``private`` allows addresses that are not public.

    Raises `ForbiddenError` for what is not allowed, `UnavailableError` for what does not answer.
    """
    try:
        with anyio.fail_after(CONNECT_WITHIN):
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
            if not private:
                _check_public(host, addresses)
            return await _first(addresses, port)
    except TimeoutError:
        raise UnavailableError(f"{host}:{port} did not answer within {CONNECT_WITHIN:g} s") from None
    except OSError as error:
        raise UnavailableError(f"{host}:{port} cannot be reached: {_words(error)}") from None


def _words(error: OSError) -> str:
    """Without the address that the event loop puts into it."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _check_public(host: str, addresses: list[str]) -> None:
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        plain = getattr(address, "ipv4_mapped", None) or address
        if not plain.is_global or plain.is_multicast:
            raise ForbiddenError(
                f"{host} is {text}, which is not a public address",
                hint="an operator may allow it: SAC_PRIVATE_ENDPOINTS",
            )


async def _first(addresses: list[str], port: int) -> SocketStream:
    """A connection to the first that answers."""
    failure = OSError("it has no address")
    for address in addresses:
        try:
            return await anyio.connect_tcp(address, port)
        except OSError as error:
            failure = error.__cause__ if isinstance(error.__cause__, OSError) else error
    raise failure


async def relay(body: ByteStream, place: ByteStream) -> None:
    """Carry bytes both ways; each direction ends by itself, a break ends both."""
    with anyio.CancelScope(deadline=anyio.current_time() + QUIET) as scope:
        async with anyio.create_task_group() as both:
            both.start_soon(_pour, body, place, scope)
            both.start_soon(_pour, place, body, scope)


async def _pour(source: ByteStream, into: ByteStream, scope: anyio.CancelScope) -> None:
    try:
        async for data in source:
            scope.deadline = anyio.current_time() + QUIET
            await into.send(data)
        await into.send_eof()
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        scope.cancel()
