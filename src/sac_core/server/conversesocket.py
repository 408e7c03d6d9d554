"""`sac.converse.v1` over a WebSocket: one conversation, ended with its socket, and resumed by another."""

from __future__ import annotations

from functools import partial
from typing import Final

import anyio

from sac_core.contracts.conversation import Conversation
from sac_core.errors import DeadlineError, InvalidError
from sac_core.models.conversation import Decision
from sac_core.server.call import Call
from sac_core.server.sockets import GONE, Ending, Socket, first_of, serve_socket
from sac_core.wire import converse as wire

FIRST_FRAME: Final = 10.0
"""Seconds that a client may take to say which conversation."""


async def run(call: Call, socket: Socket) -> None:
    """Accept when the agent is there, then talk."""
    await call.sac.agents.get(call.name)
    with call.site.live.joined(call.known) as connection:
        await socket.accept(wire.SUBPROTOCOL)
        await serve_socket(socket, connection, partial(_talk, call, socket))


async def _talk(call: Call, socket: Socket) -> Ending:
    first = await _first(socket)
    if first is None:
        return GONE
    async with call.sac.agents.converse(call.name, resume=first.resume) as conversation:
        await socket.send_text(wire.READY)
        turns = _Turns(socket, conversation)
        return await first_of(socket, turns.listen, turns.speak)


async def _first(socket: Socket) -> wire.Open | None:
    with anyio.move_on_after(FIRST_FRAME):
        message = await socket.receive()
        if message is None:
            return None
        frame = _frame(message)
        if not isinstance(frame, wire.Open):
            raise InvalidError("the first frame says which conversation", field="type", hint="send open")
        return frame
    raise DeadlineError(f"no conversation was named within {FIRST_FRAME:.0f} seconds")


def _frame(message: str | bytes) -> wire.Open | wire.Send | wire.Answer | wire.Cancel:
    if isinstance(message, bytes):
        raise InvalidError("a conversation has text frames only", field="type")
    return wire.decode_client(message)


class _Turns:
    """What is said, one turn after the other; answers and cancels pass it."""

    def __init__(self, socket: Socket, conversation: Conversation) -> None:
        self._socket = socket
        self._conversation = conversation
        self._said = anyio.Event()
        self._text: str | None = None

    async def listen(self) -> Ending:
        while (message := await self._socket.receive()) is not None:
            await self._obey(_frame(message))
        return GONE

    async def speak(self) -> Ending:
        while True:
            await self._said.wait()
            async for event in self._conversation.send(self._text or ""):
                if event.type == "completed":  # what is said from now on is another turn
                    self._text, self._said = None, anyio.Event()
                await self._socket.send_text(wire.encode_event(event))

    async def _obey(self, frame: wire.Open | wire.Send | wire.Answer | wire.Cancel) -> None:
        if isinstance(frame, wire.Send):
            if self._text is not None:
                raise InvalidError("a turn goes on: wait for its end, or cancel it", field="type")
            self._text = frame.text
            self._said.set()
        elif isinstance(frame, wire.Answer):
            decision = Decision(allow=frame.allow, message=frame.message)
            await self._conversation.answer(frame.request, decision)
        elif isinstance(frame, wire.Cancel):
            await self._conversation.cancel()
        else:
            raise InvalidError("the conversation is open already", field="type")
