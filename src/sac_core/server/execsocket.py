"""`sac.exec.v1` over a WebSocket: one command, lossless, ended with its socket."""

from __future__ import annotations

import json
from collections import deque
from functools import partial
from typing import Final

import anyio

from sac_core.contracts.sac import Exec
from sac_core.errors import DeadlineError, InvalidError, LostError
from sac_core.server.call import Call
from sac_core.server.sockets import GONE, Ending, Socket, first_of, serve_socket
from sac_core.wire import close, terminal
from sac_core.wire import exec as wire

FIRST_FRAME: Final = 10.0
"""Seconds that a client may take to say what to run."""


async def run(call: Call, socket: Socket) -> None:
    """Accept when the agent is there, then run what the first frame asks for."""
    await call.sac.agents.get(call.name)
    with call.site.live.joined(call.known) as connection:
        await socket.accept(wire.SUBPROTOCOL)
        command = _Command(call, socket)
        await serve_socket(socket, connection, command.converse)


class _Command:
    def __init__(self, call: Call, socket: Socket) -> None:
        self._call = call
        self._socket = socket
        self._input = _Input()
        self._sent = 0
        self._acked: int | None = None
        self._moved = anyio.Event()

    async def converse(self) -> Ending:
        request = await self._request()
        if request is None:
            return GONE
        async with self._call.sac.open_exec(
            self._call.name, request.argv, env=request.env, cwd=request.cwd, stdin=request.stdin
        ) as running:
            return await self._run(running)

    async def _request(self) -> wire.ExecRequest | None:
        with anyio.move_on_after(FIRST_FRAME):
            message = await self._socket.receive()
            if isinstance(message, bytes):
                raise InvalidError("the first frame must be text: what to run")
            return None if message is None else wire.decode_request(message)
        raise DeadlineError(f"nothing to run was named within {FIRST_FRAME:.0f} seconds")

    async def _run(self, running: Exec) -> Ending:
        return await first_of(
            self._socket, partial(self._show, running), partial(self._listen, running), partial(self._feed, running)
        )

    async def _show(self, running: Exec) -> Ending:
        async for chunk in running.output():
            await self._socket.send_bytes(wire.encode_output(chunk.stream, chunk.data))
            self._sent += len(chunk.data)
            await self._wait_for_window()
        exit = await running.wait()
        await self._socket.send_text(terminal.encode(terminal.Exited(exit.code, exit.signal, exit.reason)))
        return Ending(close.ENDED)

    async def _wait_for_window(self) -> None:
        """Wait for acks; not while these wait behind input that the command does not take, which would be for ever."""
        while self._acked is not None and self._sent - self._acked >= terminal.WINDOW and not self._input.full:
            self._moved = anyio.Event()
            await self._moved.wait()

    async def _listen(self, running: Exec) -> Ending:
        while (message := await self._socket.receive()) is not None:
            if isinstance(message, bytes):
                if self._input.full:
                    self._moved.set()
                await self._input.put(wire.decode_input(message))
            else:
                await self._obey(running, terminal.control(message))
        return GONE

    async def _obey(self, running: Exec, frame: dict[str, object]) -> None:
        kind = frame.get("type")
        if kind == "ack":
            self._acked = max(self._acked or 0, _count(frame))
            self._moved.set()
        elif kind == "eof":
            await self._input.put(None)
        elif kind == "signal":
            decoded = terminal.decode_client(json.dumps(frame))
            if isinstance(decoded, terminal.Signal):
                await running.signal(decoded.name)
        else:
            raise InvalidError("no such frame; known: eof, signal, ack", field="type")

    async def _feed(self, running: Exec) -> Ending:
        taken = 0
        try:
            while (data := await self._input.get()) is not None:
                await running.write(data)
                taken += len(data)
                await self._socket.send_text(terminal.encode(terminal.Input(taken)))
            await running.eof()
        except LostError:  # it ended before it read all: its exit follows
            self._input.close()
        await anyio.sleep_forever()
        return GONE


class _Input:
    """Bytes for stdin on their way, at most `terminal.WINDOW` and one frame: acks and signals pass behind them."""

    def __init__(self) -> None:
        self._closed = False
        self._parts: deque[bytes | None] = deque()
        self._size = 0
        self._changed = anyio.Event()

    @property
    def full(self) -> bool:
        return self._size >= terminal.WINDOW

    async def put(self, data: bytes | None) -> None:
        while self.full:
            await self._changed.wait()
        if self._closed:
            return
        self._parts.append(data)
        self._size += len(data or b"")
        self._tell()

    async def get(self) -> bytes | None:
        while not self._parts:
            await self._changed.wait()
        data = self._parts.popleft()
        self._size -= len(data or b"")
        self._tell()
        return data

    def close(self) -> None:
        """Take and drop all that still comes."""
        self._closed = True
        self._parts.clear()
        self._size = 0
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


def _count(frame: dict[str, object]) -> int:
    value = frame.get("bytes")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidError("it must be a whole number", field="bytes")
    return value
