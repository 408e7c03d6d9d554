"""One HTTP request carried to a body, and its answer carried back: piece by piece, both ways at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import anyio
import h11
from anyio.abc import ByteStream
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from sac_core.contracts.background import background
from sac_core.errors import DeadlineError, InvalidError, LostError
from sac_core.server.headers import Header
from sac_core.server.ports.forwarded import from_body

PIECE: Final = 64 * 1024
MAX_HEAD: Final = 64 * 1024
FIRST_LINE: Final = 600.0
"""Seconds in which the body's server begins to answer."""
_BROKEN: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


class Exchange:
    """The request is sent while the answer may come already: who answers early is heard."""

    def __init__(self, stream: ByteStream, receive: Receive, send: Send) -> None:
        self._stream = stream
        self._receive = receive
        self._send = send
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._client_left = False
        self._client_said_all = False

    async def run(self, method: str, target: bytes, headers: list[Header]) -> None:
        """Carry all of it; raises `ClientDisconnect` when the client has gone, `LostError` when the body has."""
        head = self._head(method, target, headers)
        async with background() as tasks:
            with anyio.CancelScope() as leaving:
                await self._say(head)
                tasks.start_soon(self._upload, leaving)
                await self._answer()
        if self._client_left:
            raise ClientDisconnect

    def _head(self, method: str, target: bytes, headers: list[Header]) -> bytes:
        try:
            request = h11.Request(method=method.encode(), target=target, headers=[*headers, (b"connection", b"close")])
            return self._http.send(request) or b""
        except h11.LocalProtocolError as error:
            raise InvalidError(f"this request cannot be passed on: {error}", field="request") from None

    async def _upload(self, leaving: anyio.CancelScope) -> None:
        """Send the request's body, and watch for the client's end."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._client_left = True
                leaving.cancel()
                return
            self._client_said_all = not message.get("more_body")
            await self._say(self._part(message))

    def _part(self, message: Any) -> bytes:
        try:
            data = self._http.send(h11.Data(message.get("body", b""))) or b""
            return data if message.get("more_body") else data + (self._http.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError:  # the answer is an error of the body's: it hears no more
            return b""

    async def _say(self, data: bytes) -> None:
        try:
            if data:
                await self._stream.send(data)
        except _BROKEN:  # it may have answered before it read all
            return

    async def _answer(self) -> None:
        events = self._events()
        status, headers = await self._first(events)
        if not self._client_said_all:  # nobody reads the rest
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        async for event in events:
            if isinstance(event, h11.Data):
                await self._send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _first(self, events: AsyncIterator[h11.Event]) -> tuple[int, list[Header]]:
        """Status and headers."""
        with anyio.move_on_after(FIRST_LINE):
            response = await anext(events, None)
            if not isinstance(response, h11.Response):
                raise LostError("the agent's server closed the connection without an answer", reason="BadAnswer")
            return response.status_code, from_body(response.status_code, response.headers.raw_items())
        raise DeadlineError(f"the agent's server did not answer within {FIRST_LINE:g} s", reason="NoAnswer")

    async def _events(self) -> AsyncIterator[h11.Event]:
        """The answer's events; interim ones are left out."""
        while True:
            event = self._next()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._heard())
            elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)) or event is h11.PAUSED:
                return
            elif not isinstance(event, h11.InformationalResponse):
                yield event

    def _next(self) -> Any:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise LostError(
                f"the agent's server did not answer in HTTP, or not to the end: {error}", reason="BadAnswer"
            ) from None

    async def _heard(self) -> bytes:
        try:
            return await self._stream.receive(PIECE)
        except _BROKEN:
            return b""
