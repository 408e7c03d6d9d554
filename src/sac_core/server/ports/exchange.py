"""One HTTP request carried to a body, and its answer carried back: piece by piece, both ways at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import anyio
import h11
from anyio.abc import ByteStream
from anyio.lowlevel import checkpoint
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from sac_core.contracts.background import background
from sac_core.errors import DeadlineError, InvalidError, LostError
from sac_core.server.headers import Header
from sac_core.server.ports.forwarded import from_body
from sac_core.server.ports.giving import BROKEN, PIECE, give

MAX_HEAD: Final = 64 * 1024
FIRST_LINE: Final = 600.0
"""Seconds in which the body's server begins to answer."""
BREATH: Final = 64
"""Events of the body's answer after which others have their turn: a chunk may be of one byte."""


class Exchange:
    """The request is sent while the answer may come already: who answers early is heard."""

    def __init__(self, stream: ByteStream, receive: Receive, send: Send) -> None:
        self._stream = stream
        self._receive = receive
        self._send = send
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._ended: Exception | None = None
        self._read = 0
        self._client_said_all = False

    async def run(self, method: str, target: bytes, headers: list[Header]) -> None:
        """Carry all of it; raises `ClientDisconnect` when the client has gone, `LostError` when the body has,
        `DeadlineError` when the body takes nothing.
        """
        head = self._head(method, target, headers)
        async with background() as tasks:
            with anyio.CancelScope() as leaving:
                await give(self._stream, head)
                tasks.start_soon(self._upload, leaving)
                await self._answer()
        if self._ended is not None:
            raise self._ended

    def _head(self, method: str, target: bytes, headers: list[Header]) -> bytes:
        try:
            request = h11.Request(method=method.encode(), target=target, headers=[*headers, (b"connection", b"close")])
            return self._http.send(request) or b""
        except h11.LocalProtocolError as error:
            raise InvalidError(f"this request cannot be passed on: {error}", field="request") from None

    async def _upload(self, leaving: anyio.CancelScope) -> None:
        try:
            await self._carry_request()
        except (ClientDisconnect, DeadlineError) as error:
            self._ended = error
            leaving.cancel()

    async def _carry_request(self) -> None:
        """Send the request's body, and watch for the client's end."""
        while (message := await self._receive())["type"] != "http.disconnect":
            self._client_said_all = not message.get("more_body")
            await give(self._stream, self._part(message))
        raise ClientDisconnect

    def _part(self, message: Any) -> bytes:
        try:
            data = self._http.send(h11.Data(message.get("body", b""))) or b""
            return data if message.get("more_body") else data + (self._http.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError:  # the answer is an error of the body's: it hears no more
            return b""

    async def _answer(self) -> None:
        status, headers = await self._first()
        if not self._client_said_all:  # nobody reads the rest
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        async for piece in self._rest():
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _first(self) -> tuple[int, list[Header]]:
        """Status and headers; interim answers are left out."""
        with anyio.move_on_after(FIRST_LINE):
            while (event := await self._next()) is h11.NEED_DATA or isinstance(event, h11.InformationalResponse):
                if event is h11.NEED_DATA:
                    await self._hear()
            if not isinstance(event, h11.Response):
                raise LostError("the agent's server closed the connection without an answer", reason="BadAnswer")
            return event.status_code, from_body(event.status_code, event.headers.raw_items())
        raise DeadlineError(f"the agent's server did not answer within {FIRST_LINE:g} s", reason="NoAnswer")

    async def _rest(self) -> AsyncIterator[bytes]:
        """The answer's body as it comes; chunks that came together go on together."""
        said = bytearray()
        while (event := await self._next()) is h11.NEED_DATA or isinstance(event, h11.Data):
            if isinstance(event, h11.Data):
                said += event.data
            elif said:
                yield bytes(said)
                said.clear()
            else:
                await self._hear()
        if said:
            yield bytes(said)

    async def _next(self) -> Any:
        self._read += 1
        if self._read % BREATH == 0:
            await checkpoint()
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise LostError(
                f"the agent's server did not answer in HTTP, or not to the end: {error}", reason="BadAnswer"
            ) from None

    async def _hear(self) -> None:
        try:
            heard = await self._stream.receive(PIECE)
        except BROKEN:
            heard = b""
        self._http.receive_data(heard)
