"""An answer that goes on: server-sent events, a followed log. It ends with its client, its sign-in, or the server."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.types import Receive, Scope, Send

from sac_core.contracts.closing import closable
from sac_core.errors import LostError, SacError
from sac_core.server.call import Call

T = TypeVar("T")

FIRST_ITEM: Final = 0.5
"""Seconds to wait for the first item before the answer begins; an error until then is an ordinary problem document."""
QUIET: Final = 15.0
"""Seconds without an item after which `Form.idle` is sent, so that proxies keep the connection."""

_CUTTING: Final = 5.0


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How items are written. ``opening`` gives headers for the first item, None when it has not come yet.

    ``first`` is in seconds, as `FIRST_ITEM`; ``patience`` those that the client may leave what it is sent. After an
    error ``failed`` gives the answer a whole last part, without it the answer is cut, after the bytes of ``cut``.
    """

    media_type: str
    encode: Callable[[T], bytes]
    idle: bytes = b""
    first: float = FIRST_ITEM
    patience: float = math.inf
    cut: Callable[[SacError], bytes] | None = None
    failed: Callable[[SacError], bytes] | None = None
    opening: Callable[[T | None], dict[str, str]] | None = None


class Streamed(Generic[T]):
    """An answer made of items as they come. The source is asked for the next only when the client took the last."""

    def __init__(self, call: Call, source: AsyncIterator[T], form: Form[T]) -> None:
        self._call = call
        self._source = source
        self._form = form
        self._begun = False
        self._whole = False
        self._error: SacError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = False
        with self._call.site.live.joined(self._call.known) as connection, connection.scope:
            async with anyio.create_task_group() as tasks:

                async def until_gone() -> None:
                    nonlocal gone
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    gone = True
                    tasks.cancel_scope.cancel()

                into, items = anyio.create_memory_object_stream[T](0)
                tasks.start_soon(until_gone)
                tasks.start_soon(self._pump, into)
                with items:
                    await self._deliver(items, send)
                tasks.cancel_scope.cancel()
        if not gone:
            await self._finish(send)

    async def _pump(self, into: MemoryObjectSendStream[T]) -> None:
        with into:
            try:
                async with aclosing(closable(self._source)) as source:
                    async for item in source:
                        await into.send(item)
            except SacError as error:
                self._error = error

    async def _deliver(self, items: MemoryObjectReceiveStream[T], send: Send) -> None:
        first: list[T] = []
        try:
            with anyio.move_on_after(self._form.first):
                first.append(await items.receive())
        except anyio.EndOfStream:
            if self._error is not None:
                return
        await self._begin(first[0] if first else None, send)
        if not first or await self._give(first[0], send):
            await self._go_on(items, send)

    async def _begin(self, first: T | None, send: Send) -> None:
        given = self._form.opening(first) if self._form.opening else {}
        headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]
        headers.append((b"content-type", self._form.media_type.encode()))
        self._begun = True
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _go_on(self, items: MemoryObjectReceiveStream[T], send: Send) -> None:
        while True:
            try:
                with anyio.fail_after(QUIET):
                    item = await items.receive()
            except TimeoutError:
                if self._form.idle:
                    await send(_part(self._form.idle))
                continue
            except anyio.EndOfStream:
                self._whole = True
                return
            if not await self._give(item, send):
                return

    async def _give(self, item: T, send: Send) -> bool:
        """Whether the client took it in time."""
        with anyio.move_on_after(self._form.patience):
            await send(_part(self._form.encode(item)))
            return True
        self._error = LostError(f"the client took nothing for {self._form.patience:g} s")
        return False

    async def _finish(self, send: Send) -> None:
        error, cut = self._error, self._form.cut
        if error is None and not (self._begun and (self._whole or cut is None)):
            error = LostError("the server ended this stream", hint="ask again")
        if error is not None and not self._begun:
            raise error
        if error is not None and self._form.failed is None:
            if cut is not None:
                with anyio.move_on_after(_CUTTING):
                    await send(_part(cut(error)))
            raise error  # cuts the answer short, which tells the client that it is not whole
        if error is not None and self._form.failed is not None:
            await send(_part(self._form.failed(error)))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _part(data: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": True}
