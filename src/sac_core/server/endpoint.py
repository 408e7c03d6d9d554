"""The endpoint of one path: picks the route by method, lets in who may, runs its handler. HTTP and sockets alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from starlette.types import Receive, Scope, Send

from sac_core.server.call import admit
from sac_core.server.door import HandshakeError, MethodError
from sac_core.server.route import Handler, Route, SocketHandler
from sac_core.server.site import Site
from sac_core.server.sockets import Socket


class Endpoint:
    """An ASGI application for one path."""

    def __init__(self, site: Site, routes: Mapping[str, Route]) -> None:
        self._site = site
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._pick(scope)
        if route.method == "WS":
            await self._converse(route, scope, receive, send)
            return
        call = await admit(self._site, route, scope, receive, send)
        handler = cast("Handler", route.handler)
        response = await handler(call)
        await response(scope, receive, send)

    def _pick(self, scope: Scope) -> Route:
        if scope["type"] == "websocket":
            return self._routes["WS"]
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route = self._routes.get(method)
        if route is None or method == "WS":
            raise MethodError(str(scope["method"])[:20], self._allowed())
        return route

    def _allowed(self) -> str:
        names = set(self._routes) - {"WS"}
        return ", ".join(sorted(names | ({"HEAD"} if "GET" in names else set())))

    async def _converse(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        if route.subprotocol not in scope.get("subprotocols", ()):
            raise HandshakeError(
                "this socket needs its subprotocol", field="Sec-WebSocket-Protocol", hint=f"ask for {route.subprotocol}"
            )
        call = await admit(self._site, route, scope, receive, send)
        handler = cast("SocketHandler", route.handler)
        await handler(call, Socket(receive, send))
