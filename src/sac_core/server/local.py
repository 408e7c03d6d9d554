"""Local mode: one server in this process, for one user, on loopback and a unix socket."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import anyio
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from sac_core import __version__
from sac_core.core import open_core
from sac_core.core.standard import why_standard
from sac_core.errors import ConfigurationError, UnavailableError
from sac_core.models.placement import Placement
from sac_core.server.announce import ServerInfo, announced
from sac_core.server.app import create_app, site_of
from sac_core.server.listeners import is_loopback, listen_tcp, listen_unix, url_of
from sac_core.server.ports.names import names_a_port
from sac_core.server.ports.sockets import LARGEST_MESSAGE as LARGEST_PORT_MESSAGE
from sac_core.settings import Settings
from sac_core.wire.terminal import MAX_MESSAGE

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from sac_core.core.wiring import Core

log = logging.getLogger("sac.server")

Ready = Callable[[ServerInfo], None]

OPEN_TOKEN: Final = 32
"""Characters at least of the token that guards a server which others reach."""
STOP_TIMEOUT: Final = 3
"""Seconds that open requests may take to end when the server stops."""
LARGEST_MESSAGE: Final = 2 * MAX_MESSAGE
"""Terminals refuse more than `MAX_MESSAGE` themselves; an exec's frames have a byte in front."""
LOOK: Final = 2.0
"""Seconds between two looks at the data directory."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def serve(settings: Settings, *, ready: Ready | None = None) -> None:
    """Serve until SIGINT or SIGTERM; agents go on. ``ready`` is called once requests are answered.

    Raises `ConfigurationError` when the port or the data directory is taken, or the address is not loopback and nobody
    said who may come in and by which address; `UnavailableError` when the data directory was removed or replaced
    meanwhile.
    """
    anyio.run(serve_here, settings, ready, backend_options={"use_uvloop": True})


async def serve_here(settings: Settings, ready: Ready | None = None) -> None:
    """`serve` in a running event loop; ends like it, or by cancellation."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen_tcp(settings))
        core = await stack.enter_async_context(open_core(settings))
        _refuse_open_door(core)
        await _run(core, listener, ready)


def _refuse_open_door(core: Core) -> None:
    """Whoever listens for others has said so: with the addresses that they use, and a token that cannot be guessed."""
    settings = core.settings
    if is_loopback(settings.host) or set(core.registry.authenticators) - {"token"}:
        return
    token = settings.token.get_secret_value() if settings.token else ""
    if settings.origins and len(token) >= OPEN_TOKEN:
        return
    raise ConfigurationError(
        f"{settings.host} is reachable by others, and nothing that was meant for them would guard it",
        field="SAC_HOST",
        hint=f"listen on 127.0.0.1; or set SAC_TOKEN with {OPEN_TOKEN} characters or more, and SAC_ORIGINS",
    )


async def _run(core: Core, listener: socket.socket, ready: Ready | None) -> None:
    folder = core.settings.data_dir.resolve()
    with ExitStack() as stack:
        unix = stack.enter_context(listen_unix(folder))
        info = _info(core, listener, unix)

        def tell() -> None:
            stack.enter_context(announced(folder, info))
            if ready is not None:
                ready(info)

        app = create_app(core, origins=core.settings.origins)
        site_of(app).listening = listener.getsockname()[1]
        server = Server(app, tell)
        stack.enter_context(_stopped_by_signals(server))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_without_place, core, server)
            await server.serve([listener, *([unix] if unix else [])])
            tasks.cancel_scope.cancel()
    core.place.check()


async def _stop_without_place(core: Core, server: uvicorn.Server) -> None:
    """Stop the server when its data directory has gone: another one may be started on it, and both would act."""
    while True:
        await anyio.sleep(LOOK * random.uniform(0.9, 1.1))
        try:
            core.place.check()
        except UnavailableError as error:
            log.error("the server ends: %s", error)
            server.should_exit = True
            return


def _info(core: Core, listener: socket.socket, unix: socket.socket | None) -> ServerInfo:
    executor = core.services.default_executor
    return ServerInfo(
        url=url_of(listener),
        socket=str(unix.getsockname()) if unix else None,
        pid=os.getpid(),
        version=__version__,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        executor=executor,
        isolated=core.services.targets.opened[Placement(executor)].isolated,
        why=why_standard(core.settings, core.services.targets),
    )


class Server(uvicorn.Server):
    """uvicorn with SAC's limits; says when it serves, and ends streams and sockets before it waits for them."""

    def __init__(self, app: Starlette, started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                ws=Protocol,
                ws_max_size=LARGEST_MESSAGE,
                ws_per_message_deflate=False,
                ws_ping_interval=20.0,
                ws_ping_timeout=20.0,
                timeout_graceful_shutdown=STOP_TIMEOUT,
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
                log_level="warning",
            )
        )
        self._site = site_of(app)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._site.live.stop()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are taken in `serve_here`, which closes the core before it returns."""
        yield


class Protocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, patient with a command that does not read its input: pongs wait behind that input."""

    def handle_connect(self, event: Request) -> None:
        """At the host name of a port the messages are an application's own: they may be larger than ours."""
        if names_a_port(event.headers.get("Host", "")):
            self.conn.max_message_size = LARGEST_PORT_MESSAGE
        super().handle_connect(event)

    def start_keepalive(self) -> None:
        """Called once the handshake is complete: what it was made of is not kept for as long as the socket is open."""
        super().start_keepalive()
        del self.request, self.response

    async def send(self, message: Any) -> None:
        """A handshake that is answered with HTTP is complete, too; uvicorn would log an error for each."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def keepalive_timeout(self) -> None:
        if self.read_paused and not self.transport.is_closing():
            self.pong_timer = None
            self.pending_ping_payload = None
            self.schedule_ping()
            return
        super().keepalive_timeout()
        self.transport.abort()  # nobody is there to read what is still to be written


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, server.handle_exit, number, None)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
