"""A request to a port: who asks, the way to the body, and what is carried over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from sac_core.errors import LostError
from sac_core.server.door import MethodError
from sac_core.server.identity import peer
from sac_core.server.ports.admission import Guest, admit
from sac_core.server.ports.exchange import Exchange
from sac_core.server.ports.forwarded import to_body
from sac_core.server.ports.names import PortHost
from sac_core.server.ports.own import PREFIX, serve_own
from sac_core.server.ports.sockets import SocketExchange
from sac_core.wire import close

if TYPE_CHECKING:
    from sac_core.server.site import Site

_REFUSED = ("CONNECT", "TRACE")


async def carry(site: Site, host: PortHost, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request or socket; it ends with its client, with the sign-in of who asked, and with the server."""
    if scope["type"] == "http" and scope["method"] in _REFUSED:
        raise MethodError(scope["method"], "all but CONNECT and TRACE")
    if scope["path"].startswith(PREFIX):
        await serve_own(site, host, scope, receive, send)
        return
    guest = await admit(site, host, scope)
    with site.live.joined(guest.identity) as connection, connection.scope:
        await _carry(site, host, guest, scope, receive, send)
        return
    raise ConnectionEndedError(connection.code or close.RESTART)


class ConnectionEndedError(LostError):
    """It was ended from outside; ``code`` is the close code of a socket."""

    def __init__(self, code: int) -> None:
        super().__init__("the server ended this connection", hint="ask again")
        self.code = code


async def _carry(site: Site, host: PortHost, guest: Guest, scope: Scope, receive: Receive, send: Send) -> None:
    headers = to_body(scope["headers"], host.authority, peer(scope), authorization=guest.authorization)
    with site.slots.taken(host.uid):
        async with await site.core.dial(guest.identity.principal, host.uid, host.port) as stream:
            if scope["type"] == "websocket":
                await SocketExchange(stream, scope, receive, send).run(_target(scope), headers)
            else:
                await Exchange(stream, receive, send).run(scope["method"], _target(scope), headers)


def _target(scope: Scope) -> bytes:
    """Path and query as the client wrote them."""
    query: bytes = scope["query_string"]
    path: bytes = scope["raw_path"]
    return path + (b"?" + query if query else b"")
