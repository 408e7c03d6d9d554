"""`sac.terminal.v1` over a WebSocket: an attached `Terminal` to frames and back."""

from __future__ import annotations

from typing import Final, cast

from sac_core.contracts.sac import Terminal
from sac_core.errors import ForbiddenError, InvalidError, TooLargeError
from sac_core.server.call import Call
from sac_core.server.sockets import GONE, Ending, Socket, serve_socket
from sac_core.wire import close
from sac_core.wire import terminal as wire

_VIEWER: Final = (wire.Ack, wire.Take)
"""The frames that who only watches may send."""


async def attach(call: Call, socket: Socket) -> None:
    """Attach before the handshake is answered, so that what is not there is 404 and not an opened socket."""
    since, mode = call.whole("since"), _mode(call)
    async with call.sac.sessions.attach(call.name, since=since, mode=mode) as terminal:
        with call.site.live.joined(call.known) as connection:
            await socket.accept(wire.SUBPROTOCOL)
            view = _View(socket, terminal)
            await serve_socket(socket, connection, view.show, view.listen)


def _mode(call: Call) -> wire.Role | None:
    mode = call.query.get("mode")
    if mode is not None and mode not in wire.ROLES:
        raise InvalidError(f"{mode[:40]!r} is no mode", field="mode", hint=f"known: {', '.join(wire.ROLES)}")
    return cast("wire.Role | None", mode)


class _View:
    __slots__ = ("_socket", "_terminal")

    def __init__(self, socket: Socket, terminal: Terminal) -> None:
        self._socket = socket
        self._terminal = terminal

    async def show(self) -> Ending:
        """Events to frames. One binary frame for each output; `send_bytes` waits for the client, and the hub for us."""
        send_bytes = self._socket.send_bytes
        await self._socket.send_text(wire.encode(self._attached()))
        async for event in self._terminal:
            if isinstance(event, wire.Output):
                await send_bytes(event.data)
            else:
                await self._socket.send_text(wire.encode(event))
        return Ending(close.ENDED)

    def _attached(self) -> wire.Attached:
        terminal = self._terminal
        size = {"cols": terminal.tty.cols, "rows": terminal.tty.rows} if terminal.tty else None
        return wire.Attached(terminal.offset, terminal.session, terminal.role, size, terminal.end)

    async def listen(self) -> Ending:
        """Frames to calls, one at a time: while a write waits, nothing more is read."""
        while (message := await self._socket.receive()) is not None:
            if len(message) > wire.MAX_MESSAGE:
                raise TooLargeError("a message is at most 64 KiB: cut a paste into such pieces")
            try:
                await self._take(message)
            except ForbiddenError as error:
                await self._socket.fail(error)
        return GONE

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._require_control("type")
            await self._terminal.write(message)
        else:
            await self._obey(wire.decode_client(message))

    async def _obey(self, frame: wire.ClientFrame) -> None:
        if not isinstance(frame, _VIEWER):
            self._require_control(frame.type)
        match frame:
            case wire.Ack(offset):
                await self._terminal.ack(offset)
            case wire.Resize(cols, rows):
                await self._terminal.resize(cols, rows)
            case wire.Signal(name):
                await self._terminal.signal(name)
            case wire.Eof():
                await self._terminal.eof()
            case wire.Take():
                await self._terminal.take()

    def _require_control(self, what: str) -> None:
        if self._terminal.role != "control":
            raise ForbiddenError(f"who watches may not {what}", hint="take control first")
