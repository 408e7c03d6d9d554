"""WebSockets of one server: opening them, and what their end means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from websockets.asyncio import client as websockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from sac_core import errors as e
from sac_core.client.connection import API, Connection, failure, unreachable
from sac_core.wire import close, problem

OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 2.0

_MEANINGS: dict[int, tuple[type[e.SacError], str, str]] = {
    close.ENDED: (e.LostError, "the server ended the connection", "connect again with your offset"),
    close.GOING_AWAY: (e.LostError, "the server is going away", "connect again with your offset"),
    close.TOO_BIG: (e.TooLargeError, "a message was too big for the server", "send at most 64 KiB at once"),
    close.RESTART: (e.LostError, "the server restarts", "connect again with your offset"),
    close.TRY_LATER: (e.UnavailableError, "the server has no room for another socket", "try again later"),
    close.INVALID: (e.InvalidError, "the server did not understand a frame", "are client and server of one version?"),
    close.UNAUTHENTICATED: (e.UnauthenticatedError, "the authentication ended", "sign in again"),
    close.FORBIDDEN: (e.ForbiddenError, "this is not allowed", "ask its owner"),
    close.GONE: (e.NotFoundError, "it is gone", "look with `sac get`"),
    close.TOO_SLOW: (e.LostError, "this client read too slowly", "connect again with your offset"),
    close.RATE: (e.UnavailableError, "too many messages", "send more slowly"),
}


@dataclass(frozen=True, slots=True)
class Liveness:
    """Seconds between pings, and how long an answer may take; none where the peer may rightly stop reading."""

    interval: float = 20.0
    timeout: float | None = 20.0


ALIVE = Liveness()


class _Connect(websockets.connect):
    """Follows no redirect: a token is for one server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def open_socket(
    connection: Connection, path: str, subprotocol: str, *, queue: int | None = 16, liveness: Liveness = ALIVE
) -> AsyncIterator[websockets.ClientConnection]:
    """A WebSocket below the API; ``queue`` messages are read ahead, None reads all that comes."""
    options: dict[str, Any] = (
        {"unix": True, "path": str(connection.address.socket)} if connection.address.socket else {}
    )
    opening = _Connect(
        connection.address.websocket(API + path),
        subprotocols=[Subprotocol(subprotocol)],
        additional_headers=connection.headers,
        compression=None,
        max_size=None,
        max_queue=queue,
        proxy=None if connection.address.local else True,
        open_timeout=OPEN_TIMEOUT,
        close_timeout=CLOSE_TIMEOUT,
        ping_interval=liveness.interval,
        ping_timeout=liveness.timeout,
        **options,
    )
    socket = await _opened(opening, connection)
    try:
        yield socket
    except ConnectionClosed as error:
        raise ended(error) from error
    finally:
        with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
            await socket.close()


async def _opened(opening: _Connect, connection: Connection) -> websockets.ClientConnection:
    try:
        return await opening
    except InvalidStatus as error:
        raise failure(error.response.status_code, bytes(error.response.body or b"")) from error
    except TimeoutError as error:
        raise e.DeadlineError(f"{connection.address.url} did not answer in time", hint="try again") from error
    except InvalidHandshake as error:
        raise e.UnavailableError(f"{connection.address.url} opened no WebSocket: {error}") from error
    except OSError as error:
        raise unreachable(connection.address) from error


def ended(error: ConnectionClosed) -> e.SacError:
    """What the end of a socket means."""
    code = error.rcvd.code if error.rcvd else None
    said = error.rcvd.reason if error.rcvd else ""
    if code not in _MEANINGS:
        return e.LostError("the connection to the server broke", hint="connect again with your offset")
    kind, message, hint = _MEANINGS[code]
    return kind(said or message, hint=hint)


def refused(frame: Mapping[str, Any]) -> e.SacError:
    """The error of an ``error`` frame."""
    document = {key: frame[key] for key in ("reason", "field", "hint") if key in frame}
    return problem.decode({"title": frame.get("reason"), "detail": frame.get("message"), **document})
