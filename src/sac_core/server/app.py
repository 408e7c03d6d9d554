"""`create_app`: the table of routes for a core's kinds, behind the door."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.routing import Route as HttpRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from sac_core.errors import NotFoundError
from sac_core.models.kind import Kind
from sac_core.server import conversesocket, events, execsocket, terminal
from sac_core.server.about import about_routes
from sac_core.server.agents import agent_routes
from sac_core.server.console import console_routes
from sac_core.server.door import Door
from sac_core.server.endpoint import Endpoint
from sac_core.server.files import file_routes
from sac_core.server.hosts import Hosts
from sac_core.server.identity import Authenticate, Identifier
from sac_core.server.images import image_routes
from sac_core.server.live import Live
from sac_core.server.ports.door import PortDoor
from sac_core.server.ports.links import port_routes
from sac_core.server.ports.names import PortHosts
from sac_core.server.readiness import Readiness
from sac_core.server.recordings import recording_routes
from sac_core.server.resources import kind_routes
from sac_core.server.route import SIGNED_IN, Route, checked
from sac_core.server.signin import sign_in_routes
from sac_core.server.site import Site
from sac_core.server.targets import target_routes
from sac_core.wire import converse as converse_wire
from sac_core.wire import events as events_wire
from sac_core.wire import exec as exec_wire
from sac_core.wire import terminal as terminal_wire

if TYPE_CHECKING:
    from sac_core.core.wiring import Core

CoreSource = Callable[[], AbstractAsyncContextManager["Core"]]


def create_app(
    core: Core | CoreSource,
    authenticate: Authenticate | None = None,
    *,
    hosts: Sequence[str] | None = None,
    origins: Sequence[str] = (),
    console: bool = True,
) -> Starlette:
    """SAC as an ASGI application, which another Starlette app may mount under a prefix.

    ``core`` is an open one, or a callable (``open_core``) that the app's lifespan opens and closes; mounted, a host
    runs that lifespan itself: ``async with app.router.lifespan_context(app)``. ``authenticate`` says who has a bearer
    token, in place of SAC's authenticators. ``hosts`` are the allowed Host names (``name`` or ``name:port``); none:
    the loopback names at the port that serves. ``origins`` are allowed besides: ``https://sac.example.com`` where a
    proxy ends TLS that passes requests on without it. Raises `ConfigurationError` when a route does not say who may
    use it, and for what is no host or no origin.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if not callable(core):
            yield
            return
        async with core() as opened:
            site = _furnish(app, opened, authenticate, console)
            try:
                yield
            finally:
                site.live.stop()

    app = App(middleware=[Middleware(PortDoor), Middleware(Door, hosts=Hosts(hosts, origins))], lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = _nothing_here
    if not callable(core):
        _furnish(app, core, authenticate, console)
    return app


class App(Starlette):
    """Starlette without its two layers that catch errors: the door does, and an idle socket keeps a frame for each."""

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = self.router
        for layer, args, options in reversed(self.user_middleware):
            app = layer(app, *args, **options)
        return app


def site_of(app: Starlette) -> Site:
    """What an app serves, once its core is open."""
    site: Site = app.state.site
    return site


def routes_of(kinds: Sequence[Kind], *, console: bool) -> Iterator[Route]:
    """The table, looked through in order: what is asked most comes first, the console last as it takes every path."""
    for kind in kinds:
        yield from kind_routes(kind)
    yield from about_routes()
    yield from sign_in_routes()
    yield from agent_routes()
    yield from port_routes()
    yield from file_routes()
    yield from recording_routes()
    yield from target_routes()
    yield from image_routes()
    yield from socket_routes()
    if console:
        yield from console_routes()


def socket_routes() -> Iterator[Route]:
    """The routes of sockets, and the events that come either way."""
    agents, sessions = "/api/v1/agents/{name}", "/api/v1/sessions/{name}"
    yield Route("WS", f"{sessions}/attach", "sessions:attach", terminal.attach, "Attach to a terminal",
                query=("since", "mode"), subprotocol=terminal_wire.SUBPROTOCOL)  # fmt: skip
    yield Route("WS", f"{agents}/converse", "agents:converse", conversesocket.run, "Talk with an agent",
                subprotocol=converse_wire.SUBPROTOCOL)  # fmt: skip
    yield Route("WS", f"{agents}/exec", "agents:exec", execsocket.run, "Run a command with streams",
                subprotocol=exec_wire.SUBPROTOCOL)  # fmt: skip
    yield Route("WS", "/api/v1/events", SIGNED_IN, events.watch, "Be told of changes",
                subprotocol=events_wire.SUBPROTOCOL)  # fmt: skip
    yield Route("GET", "/api/v1/events", SIGNED_IN, events.stream, "Changes as server-sent events",
                query=("kinds", "labelSelector", "since"), media_type="text/event-stream")  # fmt: skip


def _furnish(app: Starlette, core: Core, authenticate: Authenticate | None, console: bool) -> Site:
    identifier = Identifier(core, authenticate)
    table = checked(routes_of(list(core.registry.kinds.values()), console=console))
    site = Site(
        core, identifier, Live(identifier.holds), Readiness(core.signins), PortHosts(core.settings.ports_domain), table
    )
    app.state.site = site
    app.router.routes[:] = _endpoints(site)
    return site


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotFoundError("there is nothing at this address", hint="see /openapi.json")


def _endpoints(site: Site) -> list[BaseRoute]:
    paths: dict[str, dict[str, Route]] = defaultdict(dict)
    for route in site.table:
        paths[route.path][route.method] = route
    made: list[BaseRoute] = []
    for path, methods in paths.items():
        endpoint = Endpoint(site, methods)
        if set(methods) - {"WS"}:
            made.append(HttpRoute(path, endpoint))
        if "WS" in methods:
            made.append(WebSocketRoute(path, endpoint))
    return made
