"""A conversation over ``sac.converse.v1``."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sac_core.client.connection import Connection
from sac_core.client.resources import segments
from sac_core.client.sockets import Liveness, ended, open_socket, refused
from sac_core.contracts.conversation import Conversation
from sac_core.errors import ConflictError, DeadlineError, LostError
from sac_core.models.base import Model
from sac_core.models.conversation import Decision, Event
from sac_core.wire import converse as wire

READY_WITHIN = 120.0
"""Seconds until what serves the conversation has begun."""
_AHEAD = 1024
# Whoever thinks about a question reads nothing meanwhile: that is no lost connection.
_PATIENT = Liveness(timeout=None)


class HttpConversation(Conversation):
    """A conversation that a server holds."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._busy = False
        self._over = False

    async def begin(self, resume: str | None) -> None:
        """Wait until it is open; raises what speaks against it."""
        await self._tell(wire.Open(resume=resume))
        with anyio.move_on_after(READY_WITHIN):
            await self._receive()
            return
        raise DeadlineError(f"the conversation did not begin within {READY_WITHIN:g} s")

    async def send(self, text: str) -> AsyncGenerator[Event]:
        wire.check_text(text)
        self._begin_turn()
        left = True
        try:
            await self._tell(wire.Send(text=text))
            while left:
                event = wire.decode_event(await self._receive())
                left = event.type != "completed"
                yield event
        finally:
            self._busy = False
            self._over = self._over or left

    async def answer(self, request: str, decision: Decision) -> None:
        await self._tell(wire.Answer(request=request, allow=decision.allow, message=decision.message))

    async def cancel(self) -> None:
        await self._tell(wire.Cancel())

    def _begin_turn(self) -> None:
        if self._busy:
            raise ConflictError("a turn goes on: wait for its end, or cancel it")
        if self._over:
            raise LostError("the conversation has ended, or a turn of it was left", hint="resume it")
        self._busy = True

    async def _tell(self, frame: Model) -> None:
        try:
            await self._socket.send(wire.encode(frame))
        except ConnectionClosed as error:
            raise ended(error) from error

    async def _receive(self) -> dict[str, Any]:
        try:
            message = await self._socket.recv(decode=True)
        except ConnectionClosed as error:
            raise ended(error) from error
        frame: dict[str, Any] = json.loads(message)
        if frame.get("type") == "error":
            raise refused(frame)
        return frame


@asynccontextmanager
async def open_conversation(connection: Connection, agent: str, resume: str | None) -> AsyncIterator[Conversation]:
    """Talk with an agent of a server."""
    path = segments("agents", agent, "converse")
    async with open_socket(connection, path, wire.SUBPROTOCOL, queue=_AHEAD, liveness=_PATIENT) as socket:
        conversation = HttpConversation(socket)
        await conversation.begin(resume)
        yield conversation
