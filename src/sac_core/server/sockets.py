"""A WebSocket after the door: accepting, frames in and out, how it ends, and two tasks that end together."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import anyio
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from sac_core import errors as e
from sac_core.server.live import Connection
from sac_core.wire import close, terminal

log = logging.getLogger("sac.server")
INTERNAL = 1011
CLOSE_TIMEOUT = 2.0
"""Seconds that a close frame may wait for a client that does not read."""


class Ending(NamedTuple):
    """How a socket ends; code None: the client has gone already."""

    code: int | None = None
    reason: str = ""


GONE = Ending()


class Socket:
    """Frames of one WebSocket. `send` waits while the client does not read, so nothing piles up here."""

    __slots__ = ("_receive", "_send", "accepted")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.accepted = False

    async def accept(self, subprotocol: str) -> None:
        """Complete the handshake; refusing is possible only before. `ClientDisconnect` when the client has gone."""
        await self._receive()
        try:
            await self._send({"type": "websocket.accept", "subprotocol": subprotocol})
        except OSError:
            raise ClientDisconnect from None
        self.accepted = True

    async def receive(self) -> str | bytes | None:
        """The next message; None when the client has gone."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return None
        data: str | bytes | None = message.get("bytes")
        return data if data is not None else str(message.get("text") or "")

    async def send_bytes(self, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": data})

    async def send_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def fail(self, error: e.SacError) -> None:
        """Tell the client of an error in a text frame."""
        await self.send_text(terminal.encode(terminal.Failure(error.reason, str(error))))

    async def close(self, ending: Ending) -> None:
        """Close, unless the client has gone."""
        if ending.code is None:
            return
        with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
            try:
                await self._send({"type": "websocket.close", "code": ending.code, "reason": ending.reason[:100]})
            except (OSError, RuntimeError):  # the server has closed it already, or the client was quicker
                return


Part = Callable[[], Awaitable[Ending]]


async def serve_socket(socket: Socket, connection: Connection, *parts: Part) -> None:
    """Run the parts at once until the first ends, or the connection is ended from outside; then close."""
    ending = GONE
    with connection.scope:
        ending = await first_of(socket, *parts)
    await socket.close(ending if connection.code is None else Ending(connection.code))


async def first_of(socket: Socket, *parts: Part) -> Ending:
    """How the first of the parts ended; the others are cancelled. An error is told to the client."""
    endings: list[Ending] = []
    async with anyio.create_task_group() as tasks:

        async def run(part: Part) -> None:
            endings.append(await _ended(socket, part))
            tasks.cancel_scope.cancel()

        for part in parts[1:]:
            tasks.start_soon(run, part)
        await run(parts[0])
    return endings[0]


async def _ended(socket: Socket, part: Part) -> Ending:
    try:
        return await part()
    except OSError:  # the client has gone
        return GONE
    except e.SacError as error:
        return await _failed(socket, error)
    except Exception:
        log.exception("a socket failed")
        return Ending(INTERNAL)


async def _failed(socket: Socket, error: e.SacError) -> Ending:
    with anyio.move_on_after(CLOSE_TIMEOUT):
        try:
            await socket.fail(error)
        except OSError:
            return GONE
    return Ending(close_code(error), error.reason)


def close_code(error: e.SacError) -> int:
    """The close code of an error that ends a socket."""
    return next((code for cls, code in _CODES if isinstance(error, cls)), INTERNAL)


_CODES: tuple[tuple[type[e.SacError], int], ...] = (
    (e.TooLargeError, close.TOO_BIG),
    (e.InvalidError, close.INVALID),
    (e.UnauthenticatedError, close.UNAUTHENTICATED),
    (e.ForbiddenError, close.FORBIDDEN),
    (e.NotFoundError, close.GONE),
    (e.LostError, close.GONE),
    (e.ExpiredError, close.INVALID),
    (e.UnavailableError, close.TRY_LATER),
    (e.NotReadyError, close.TRY_LATER),
)
