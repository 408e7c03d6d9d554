"""A command over ``sac.exec.v1``: separate output streams, lossless, ended by leaving its context."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sac_core.client.connection import Connection
from sac_core.client.resources import segments
from sac_core.client.sockets import Liveness, ended, open_socket, refused
from sac_core.contracts.sac import Exec
from sac_core.errors import LostError
from sac_core.models.process import Chunk, Exit
from sac_core.wire import exec as wire
from sac_core.wire import terminal

PIECE = 32 * 1024
"""The most input bytes in one message."""
ACK_EVERY = 64 * 1024
# A command that reads nothing makes the server stop reading too, pings included: that is no lost connection.
PATIENT = Liveness(timeout=None)


class HttpExec(Exec):
    """A running command."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._received = 0
        self._acked = 0
        self._exit: Exit | None = None

    async def output(self) -> AsyncGenerator[Chunk]:
        while self._exit is None:
            message = await self._receive()
            if isinstance(message, str):
                self._control(message)
                continue
            stream, data = wire.decode_output(message)
            yield Chunk(stream, self._received, data)
            self._received += len(data)
            await self._acknowledge()

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            await self._send(wire.encode_input(data[start : start + PIECE]))

    async def eof(self) -> None:
        await self._send(terminal.encode(terminal.Eof()))

    async def signal(self, name: str) -> None:
        await self._send(terminal.encode(terminal.Signal(name)))

    async def wait(self) -> Exit:
        async for _ in self.output():
            pass
        if self._exit is None:
            raise LostError("the command's end was not told")
        return self._exit

    async def begin(self, request: wire.ExecRequest) -> None:
        """Send what to run, and let the server keep count of what is on the way."""
        await self._tell(json.dumps(request.to_wire()))
        await self._tell(json.dumps({"type": "ack", "bytes": 0}))

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

    def _control(self, message: str) -> None:
        data = terminal.control(message)
        if data.get("type") == "error":
            raise refused(data)
        if data.get("type") == "exit":
            self._exit = Exit(data.get("code"), data.get("signal"), data.get("reason", ""))

    async def _acknowledge(self) -> None:
        if self._received - self._acked >= ACK_EVERY:
            self._acked = self._received
            await self._tell(json.dumps({"type": "ack", "bytes": self._received}))


@asynccontextmanager
async def open_exec(connection: Connection, agent: str, request: wire.ExecRequest) -> AsyncIterator[Exec]:
    """Run ``request`` in an agent."""
    path = segments("agents", agent, "exec")
    async with open_socket(connection, path, wire.SUBPROTOCOL, queue=None, liveness=PATIENT) as socket:
        running = HttpExec(socket)
        await running.begin(request)
        yield running
