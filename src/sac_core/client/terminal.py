"""A viewer of a session over ``sac.terminal.v1``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import assert_never

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sac_core.client.connection import Connection
from sac_core.client.resources import segments
from sac_core.client.sockets import ended, open_socket, refused
from sac_core.contracts.sac import Terminal
from sac_core.errors import DeadlineError, ForbiddenError, InvalidError
from sac_core.models.process import TtySize
from sac_core.wire import terminal as wire

ACK_EVERY = 128 * 1024
"""Output bytes between two acknowledgements, as long as the caller sends none of its own."""
ATTACH_TIMEOUT = 30.0


class HttpTerminal(Terminal):
    """An attached viewer.

    What was iterated over counts as shown, so at most `wire.WINDOW` waits here; whoever calls `ack` takes that over.
    """

    def __init__(self, socket: ClientConnection, attached: wire.Attached) -> None:
        self.offset = attached.offset
        self.end = attached.offset if attached.end is None else attached.end
        self.role = attached.role
        self.session = attached.session
        self.tty = TtySize(**attached.tty) if attached.tty else None
        self._socket = socket
        self._acked: int | None = attached.offset
        self._exited = False

    async def __aiter__(self) -> AsyncGenerator[wire.TerminalEvent]:
        while not self._exited:
            event = self._event(await self._receive())
            yield event
            await self._acknowledge()

    async def write(self, data: bytes) -> None:
        if self.role != "control":
            raise ForbiddenError(
                "this viewer only watches", reason="NotInControl", hint="take control first: `take`, or `--take`"
            )
        for start in range(0, len(data), wire.MAX_MESSAGE):
            await self._send(data[start : start + wire.MAX_MESSAGE])

    async def resize(self, cols: int, rows: int) -> None:
        await self._send(wire.encode(wire.Resize(cols, rows)))

    async def signal(self, name: str) -> None:
        await self._send(wire.encode(wire.Signal(name)))

    async def eof(self) -> None:
        await self._send(wire.encode(wire.Eof()))

    async def ack(self, offset: int) -> None:
        self._acked = None
        await self._tell(wire.encode(wire.Ack(offset)))

    async def take(self) -> None:
        await self._send(wire.encode(wire.Take()))

    async def begin(self) -> None:
        """Let the server keep count of what is on the way."""
        await self._tell(wire.encode(wire.Ack(self.offset)))

    async def _receive(self) -> bytes | str:
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise ended(error) from error

    async def _tell(self, message: str) -> None:
        """Send; when the socket has ended, what is still to be read says why."""
        with suppress(ConnectionClosed):
            await self._socket.send(message)

    async def _send(self, message: bytes | str) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise ended(error) from error

    def _event(self, message: bytes | str) -> wire.TerminalEvent:
        if isinstance(message, bytes):
            event = wire.Output(self.offset, message)
            self.offset += len(message)
            return event
        frame = wire.decode_server(message)
        self._note(frame)
        if isinstance(frame, wire.Attached):
            raise InvalidError("the server said twice that this viewer is attached", field="type")
        return frame

    def _note(self, frame: wire.ServerFrame) -> None:
        match frame:
            case wire.Gap():
                self.offset = frame.end
            case wire.Resize():
                self.tty = TtySize(cols=frame.cols, rows=frame.rows)
            case wire.RoleChanged():
                self.role = frame.role
            case wire.Exited():
                self._exited = True
            case wire.Attached() | wire.Input() | wire.Failure():
                pass
            case _:
                assert_never(frame)

    async def _acknowledge(self) -> None:
        if self._acked is not None and not self._exited and self.offset - self._acked >= ACK_EVERY:
            self._acked = self.offset
            await self._tell(wire.encode(wire.Ack(self.offset)))


@asynccontextmanager
async def open_terminal(
    connection: Connection, name: str, *, since: int | None, mode: wire.Role | None
) -> AsyncIterator[Terminal]:
    """Attach to a session; raises what the server answers, `NotFoundError` for one that is gone."""
    query = "&".join(f"{key}={value}" for key, value in (("since", since), ("mode", mode)) if value is not None)
    path = segments("sessions", name, "attach") + (f"?{query}" if query else "")
    async with open_socket(connection, path, wire.SUBPROTOCOL, queue=None) as socket:
        viewer = HttpTerminal(socket, await _attached(socket))
        await viewer.begin()
        yield viewer


async def _attached(socket: ClientConnection) -> wire.Attached:
    try:
        async with asyncio.timeout(ATTACH_TIMEOUT):
            message = await socket.recv()
    except TimeoutError:
        raise DeadlineError("the server did not attach this viewer in time", hint="try again") from None
    frame = wire.decode_server(message) if isinstance(message, str) else None
    if isinstance(frame, wire.Failure):
        raise refused({"reason": frame.reason, "message": frame.message})
    if not isinstance(frame, wire.Attached):
        raise InvalidError("the server sent something else before it attached this viewer", field="type")
    return frame
