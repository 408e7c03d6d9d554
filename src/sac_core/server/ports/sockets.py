"""One WebSocket carried to a body and back, message by message; either end's close reaches the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import anyio
from anyio.abc import ByteStream, TaskGroup
from anyio.lowlevel import checkpoint
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidState, InvalidStatus
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from sac_core.contracts.background import background
from sac_core.errors import DeadlineError, LostError
from sac_core.server.headers import Header
from sac_core.server.ports.forwarded import from_body
from sac_core.server.ports.giving import BROKEN, PIECE, give
from sac_core.server.ports.messages import Message

LARGEST_MESSAGE: Final = 16 * 2**20
"""Bytes of a message, in either direction."""
HANDSHAKE: Final = 60.0
"""Seconds in which the body's server takes the socket or refuses it."""
LEAVING: Final = 5.0
SLICE: Final = 4 * 1024
"""Bytes of the body that are read in one go: they may be two thousand frames."""
MOST_OWED: Final = 1024
"""Pings of a body that takes no answers; then it is not listened to any more, either."""
BAD_GATEWAY: Final = 1014
_NO_CODE: Final = (1005, 1006, 1015)
Closing = tuple[int, str]


class SocketExchange:
    """The client's socket is accepted when the body's server has taken it."""

    def __init__(self, stream: ByteStream, scope: Scope, receive: Receive, send: Send) -> None:
        self._stream = stream
        self._receive = receive
        self._send = send
        offered = [Subprotocol(name) for name in scope["subprotocols"]]
        self._protocol = ClientProtocol(
            WebSocketURI(False, "body", 80, "/", ""), subprotocols=offered or None, max_size=LARGEST_MESSAGE
        )
        self._heard = memoryview(b"")  # what the body said and nobody has read
        self._waiting: deque[Any] = deque()
        self._message = Message()
        self._sending = anyio.Lock()  # both directions send to the body: messages, and answers to its pings
        self._owed = 0
        self._stalled: DeadlineError | None = None

    async def run(self, target: bytes, headers: list[Header]) -> None:
        """Carry it to its end; raises `LostError` when the body's server is none for sockets."""
        await self._receive()
        self._ask(target, headers)
        await self._flush()
        with anyio.move_on_after(HANDSHAKE) as waiting:
            response = await self._response()
        if waiting.cancelled_caught:
            raise DeadlineError(f"the agent's server did not answer within {HANDSHAKE:g} s", reason="NoAnswer")
        try:
            await (self._converse(response) if response.status_code == 101 else self._deny(response))
        except OSError:
            raise ClientDisconnect from None

    def _ask(self, target: bytes, headers: list[Header]) -> None:
        request = self._protocol.connect()
        request.path = target.decode("ascii")
        del request.headers["Host"]
        for name, value in headers:
            if not name.startswith(b"sec-websocket-"):
                request.headers[name.decode("latin-1")] = value.decode("latin-1")
        self._protocol.send_request(request)

    async def _response(self) -> Response:
        """The answer to the handshake; what the body says right behind it is not lost."""
        while not self._protocol.handshake_exc:
            await self._hear()
            response: Response | None = next(self._events(Response), None)
            if response is not None and self._protocol.handshake_exc is None:
                return response
        if isinstance(self._protocol.handshake_exc, InvalidStatus):
            refusal: Response = self._protocol.handshake_exc.response
            return refusal
        raise LostError("the agent's server did not take the WebSocket", reason="BadAnswer")

    async def _deny(self, response: Response) -> None:
        """Pass on how it was refused."""
        headers = from_body(response.status_code, _raw(response))
        start = {"type": "websocket.http.response.start", "status": response.status_code, "headers": headers}
        await self._send(start)
        await self._send({"type": "websocket.http.response.body", "body": bytes(response.body or b"")})

    async def _converse(self, response: Response) -> None:
        kept = [header for header in from_body(200, _raw(response)) if not header[0].startswith(b"sec-websocket-")]
        accept = {"type": "websocket.accept", "subprotocol": self._protocol.subprotocol, "headers": kept}
        await self._send(accept)
        async with background() as tasks:
            with anyio.CancelScope() as both:
                tasks.start_soon(self._aside, both, self._listen, both)
                code, reason = await self._tell(tasks, both)
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                with anyio.move_on_after(LEAVING):
                    await self._flush()
        if self._stalled is not None:
            raise self._stalled

    async def _aside(self, both: anyio.CancelScope, work: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Work beside the body's direction; a body that takes nothing ends both."""
        try:
            await work(*args)
        except DeadlineError as error:
            self._stalled = error
            both.cancel()

    async def _listen(self, both: anyio.CancelScope) -> None:
        """The client's messages to the body; its close ends both directions."""
        with suppress(InvalidState):  # the body has closed: how, is told by the other direction
            await self._carry_messages()
            both.cancel()

    async def _carry_messages(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            if message.get("bytes") is not None:
                self._protocol.send_binary(message["bytes"])
            else:
                self._protocol.send_text(str(message.get("text") or "").encode())
            await self._flush()
        with anyio.move_on_after(LEAVING, shield=True):
            code = message.get("code")
            self._protocol.send_close(*(() if code in (None, *_NO_CODE) else (code, message.get("reason") or "")))
            await self._flush()

    async def _tell(self, tasks: TaskGroup, both: anyio.CancelScope) -> Closing:
        """The body's messages to the client; how the body closed."""
        while True:
            for frame in self._events(Frame):
                if frame.opcode is Opcode.CLOSE:
                    return self._closed()
                await self._pass(frame)
            await self._answer(tasks, both)
            if self._protocol.close_expected() or not await self._hear():
                return self._closed()

    async def _answer(self, tasks: TaskGroup, both: anyio.CancelScope) -> None:
        """Its pings. It is heard while it takes no answer: it may wait for us before it takes anything."""
        if self._owed > MOST_OWED:
            await self._flush()
        elif self._owed and not self._sending.locked():  # else, who sends now sends the answers, too
            tasks.start_soon(self._aside, both, self._flush)

    def _closed(self) -> Closing:
        received, sent = self._protocol.close_rcvd, self._protocol.close_sent
        if received is not None:
            return (1000, "") if received.code in _NO_CODE else (int(received.code), received.reason)
        return (int(sent.code), sent.reason) if sent is not None else (BAD_GATEWAY, "the agent's server went away")

    async def _pass(self, frame: Frame) -> None:
        self._owed += frame.opcode is Opcode.PING
        whole = self._message.add(frame) if frame.opcode in DATA_OPCODES else None
        if whole is not None:
            await self._send(whole)

    def _events(self, kind: type[Any]) -> Iterator[Any]:
        """What the body said by now, of that kind; the rest stays."""
        self._waiting += self._protocol.events_received()
        while self._waiting and isinstance(self._waiting[0], kind):
            yield self._waiting.popleft()

    async def _hear(self) -> bool:
        """Whether there was more to hear."""
        try:
            self._heard = self._heard or memoryview(await self._stream.receive(PIECE))
        except BROKEN:
            self._protocol.receive_eof()
            return False
        self._protocol.receive_data(bytes(self._heard[:SLICE]))
        self._heard = self._heard[SLICE:]
        await checkpoint()
        return True

    async def _flush(self) -> None:
        async with self._sending:
            while data := b"".join(self._protocol.data_to_send()):
                self._owed = 0
                await give(self._stream, data)


def _raw(response: Response) -> list[Header]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.raw_items()]
