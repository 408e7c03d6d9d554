"""Changes as they are committed: `sac.events.v1` over a WebSocket, and the same as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import anyio
from starlette.types import ASGIApp

from sac_core.contracts.closing import closable
from sac_core.errors import ExpiredError, ForbiddenError, InvalidError, SacError
from sac_core.models.base import parse
from sac_core.models.change import Change, Synced
from sac_core.server.answers import encoded
from sac_core.server.call import Call
from sac_core.server.sockets import GONE, Ending, Socket, serve_socket
from sac_core.server.streams import Form, Streamed
from sac_core.wire import events as wire
from sac_core.wire import problem, terminal

Event = Change[Any] | Synced


async def stream(call: Call) -> ASGIApp:
    """`GET /api/v1/events` as server-sent events."""
    kinds = tuple(kind for kind in call.query.get("kinds", "").split(",") if kind)
    check_kinds(call, kinds)
    source = call.sac.watch(kinds=kinds, label_selector=call.query.get("labelSelector", ""), since=since(call))
    return server_sent(call, source)


def server_sent(call: Call, source: AsyncIterator[Event]) -> ASGIApp:
    """A watch as server-sent events."""
    return Streamed(call, source, Form("text/event-stream", _sse, idle=b": quiet\n\n", failed=_sse_error))


def since(call: Call) -> int | None:
    """The version to go on after: the browser's Last-Event-ID, else ``since``."""
    last = call.header(b"last-event-id")
    return call.whole("since") if not last else version(last)


def version(text: str) -> int:
    """A version that a client was given; raises `InvalidError`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidError(f"{text[:40]!r} is no version", field="since")
    return int(text)


def check_kinds(call: Call, kinds: tuple[str, ...]) -> None:
    """Raises `InvalidError` for a kind that is not registered, `ForbiddenError` for one that may not be listed."""
    known = {kind.kind: kind for kind in call.site.core.registry.kinds.values()}
    for name in kinds:
        if name not in known:
            raise InvalidError(
                f"there is no kind {name[:80]!r}", field="kinds", hint=f"known: {', '.join(sorted(known))}"
            )
        permission = known[name].permission("list")
        if not call.known.principal.may(permission):
            raise ForbiddenError(f"{name} may not be watched", hint=f"it needs the permission {permission}")


def _body(event: Event) -> dict[str, Any]:
    if isinstance(event, Synced):
        return {"type": "synced", "version": str(event.version)}
    return {"type": event.verb, "version": str(event.version), "object": event.object.to_wire()}


def _sse(event: Event) -> bytes:
    body = _body(event)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.version, body["type"].encode(), encoded(body))


def _sse_error(error: SacError) -> bytes:
    return b"event: error\ndata: %s\n\n" % encoded({"type": "error", **_failure(error)})


def _failure(error: SacError) -> dict[str, Any]:
    document = problem.encode(error)
    return {"reason": error.reason, "message": str(error), "status": document["status"]}


async def watch(call: Call, socket: Socket) -> None:
    """`WS /api/v1/events`."""
    with call.site.live.joined(call.known) as connection:
        await socket.accept(wire.SUBPROTOCOL)
        subscription = _Subscription(call, socket)
        await serve_socket(socket, connection, subscription.tell, subscription.listen)


class _Subscription:
    """What the client wants to be told; a new subscription replaces the one before."""

    def __init__(self, call: Call, socket: Socket) -> None:
        self._call = call
        self._socket = socket
        self._wanted: wire.Subscribe | None = None
        self._changed = anyio.Event()
        self._scope = anyio.CancelScope()

    async def listen(self) -> Ending:
        while (message := await self._socket.receive()) is not None:
            frame = terminal.control(message) if isinstance(message, str) else {}
            if frame.pop("type", None) != "subscribe":
                raise InvalidError("no such frame; known: subscribe", field="type")
            wanted = parse(wire.Subscribe, frame)
            check_kinds(self._call, wanted.kinds)
            self._wanted = wanted
            self._changed.set()
            self._scope.cancel()
        return GONE

    async def tell(self) -> Ending:
        while True:
            await self._changed.wait()
            wanted, self._changed = self._wanted, anyio.Event()
            with anyio.CancelScope() as self._scope:
                if wanted is not None:
                    await self._follow(wanted)

    async def _follow(self, wanted: wire.Subscribe) -> None:
        start = None if wanted.since is None else version(wanted.since)
        source = self._call.sac.watch(kinds=wanted.kinds, label_selector=wanted.label_selector, since=start)
        try:
            async with aclosing(closable(source)) as events:
                async for event in events:
                    await self._socket.send_text(encoded(_body(event)).decode())
        except ExpiredError as error:
            await self._socket.fail(error)
