"""The door before SAC's own: a request whose Host names a port of an agent goes to that port, and never to the API."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sac_core.errors import SacError
from sac_core.server import headers
from sac_core.server.answers import refuse_socket
from sac_core.server.door import ARRIVAL, Arrival
from sac_core.server.hosts import check_origin
from sac_core.server.ports.carrying import ConnectionEndedError, carry
from sac_core.server.ports.names import PortHost
from sac_core.server.ports.pages import explanation
from sac_core.server.ports.sockets import BAD_GATEWAY

if TYPE_CHECKING:
    from sac_core.server.site import Site

log = logging.getLogger("sac.server")


class PortDoor:
    """A middleware outside of `Door`. Below a prefix there are no ports: the host names are the outer app's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = None if scope["type"] == "lifespan" or scope.get("root_path") else _find(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        site, host = found
        arrival = scope[ARRIVAL] = Arrival(authority=host.authority)
        answer = Answer(send)
        try:
            arrival.origin = check_origin(headers.values(scope, b"origin"), host.authority)
            await carry(site, host, scope, receive, answer)
        except ClientDisconnect:
            return
        except Exception as error:
            await _explain(error, scope, receive, answer, arrival)


def _find(scope: Scope) -> tuple[Site, PortHost] | None:
    site: Site | None = getattr(scope["app"].state, "site", None)
    server = scope.get("server")
    host = site.ports.find(headers.values(scope, b"host"), server[1] if server else None) if site else None
    return (site, host) if site and host else None


class Answer:
    """Remembers that an answer has begun."""

    __slots__ = ("_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "websocket.accept":  # the client may have heard of it, whatever becomes of it
            self.started = True
        await self._send(message)
        self.started = self.started or message["type"] == "http.response.start"


async def _explain(error: Exception, scope: Scope, receive: Receive, answer: Answer, arrival: Arrival) -> None:
    if not isinstance(error, SacError):
        log.error("request %s to a port failed", arrival.request_id, exc_info=error)
    response = explanation(error, scope, arrival)
    if answer.started:
        log.info("request %s to a port ended early: %s", arrival.request_id, error)
        await _close(error, scope, answer)
    elif scope["type"] == "websocket":
        await refuse_socket(scope, answer, response, arrival.authority, arrival.request_id)
    else:
        await response(scope, receive, answer)


async def _close(error: Exception, scope: Scope, answer: Answer) -> None:
    """A socket is told how it ended; an answer that has begun is cut short, which says enough."""
    if scope["type"] == "websocket":
        code = error.code if isinstance(error, ConnectionEndedError) else BAD_GATEWAY
        with suppress(OSError):
            await answer({"type": "websocket.close", "code": code})
