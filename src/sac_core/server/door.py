"""The first thing that every request and every socket meets: Host, Origin, and at the way out headers and errors."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sac_core.errors import InvalidError, NotFoundError, SacError
from sac_core.server import headers
from sac_core.server.answers import problem_response, refuse_socket
from sac_core.server.hosts import Authority, Hosts, check_origin
from sac_core.wire import problem

log = logging.getLogger("sac.server")
ARRIVAL = "sac.arrival"


class MediaTypeError(InvalidError):
    """A body of a type that is not taken; 415."""

    default_reason = "UnsupportedMediaType"


class MethodError(InvalidError):
    """A path that has no such method; 405."""

    default_reason = "MethodNotAllowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not possible here", hint=f"allowed: {allowed}")
        self.allowed = allowed


class HandshakeError(InvalidError):
    """A Host that is not ours, or a socket without its subprotocol; 400."""


@dataclass(slots=True)
class Arrival:
    """What the door knows of a request. ``origin`` is empty when the request named none, else our own."""

    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    authority: Authority | None = None
    origin: str = ""


class Door:
    """The outermost middleware, for HTTP and WebSocket alike. It keeps no state between requests."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        arrival = scope[ARRIVAL] = Arrival()
        way_out = send if scope["type"] == "websocket" else _WayOut(send, arrival)
        try:
            self._check(scope, arrival)
            await self._app(scope, receive, way_out)
        except ClientDisconnect:
            return
        except Exception as error:
            await _explain(error, scope, receive, way_out, arrival)

    def _check(self, scope: Scope, arrival: Arrival) -> None:
        server = scope.get("server")
        bound = server[1] if server else None
        try:
            arrival.authority = self._hosts.admit(headers.values(scope, b"host"), scope["scheme"], bound)
        except InvalidError as error:
            raise HandshakeError(error.message, reason=error.reason, field=error.field, hint=error.hint) from None
        arrival.origin = check_origin(headers.values(scope, b"origin"), arrival.authority)


class _WayOut:
    """Adds the headers of every answer, and remembers that one has begun."""

    __slots__ = ("_arrival", "_send", "started")

    def __init__(self, send: Send, arrival: Arrival) -> None:
        self._send = send
        self._arrival = arrival
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            given = list(message.get("headers", ()))
            message["headers"] = headers.complete(given, self._arrival.authority, self._arrival.request_id)
        await self._send(message)


async def _explain(error: Exception, scope: Scope, receive: Receive, send: Any, arrival: Arrival) -> None:
    response = _response(error, scope, arrival)
    if scope["type"] == "websocket":
        with suppress(OSError):  # the client has gone
            await refuse_socket(scope, send, response, arrival.authority, arrival.request_id)
    elif send.started:
        log.warning("request %s ended early: %s", arrival.request_id, error)
    else:
        await response(scope, receive, send)


def _response(error: Exception, scope: Scope, arrival: Arrival) -> Response:
    if isinstance(error, HTTPException):
        error = _of_router(error)
    if isinstance(error, MethodError):
        return problem_response(error, status=405, headers={"Allow": error.allowed})
    if isinstance(error, SacError) and problem.status(error) != 500:
        return problem_response(error, status=_STATUS.get(type(error)))
    log.error("request %s failed: %s", arrival.request_id, type(error).__name__, exc_info=error)
    hidden = SacError("the server failed; its log says why", hint=f"look for request {arrival.request_id} in its log")
    return problem_response(hidden)


def _of_router(error: HTTPException) -> SacError:
    if error.status_code == 404:
        return NotFoundError("there is nothing at this address", hint="see /openapi.json")
    if error.status_code == 405:
        return MethodError("this method", "GET, HEAD")
    return SacError(str(error.detail))


_STATUS: dict[type[SacError], int] = {MediaTypeError: 415, HandshakeError: 400}
