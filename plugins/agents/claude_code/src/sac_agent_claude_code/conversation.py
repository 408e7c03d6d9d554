"""A conversation with Claude Code over its streams of JSON: a program that waits between turns."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio

from sac_agent_claude_code.lines import Lines, Message
from sac_agent_claude_code.translation import Translation, why
from sac_core.contracts.conversation import Conversation, Programs
from sac_core.contracts.sac import Exec
from sac_core.errors import ConflictError, DeadlineError, InvalidError, LostError, NotFoundError, UnavailableError
from sac_core.models.conversation import Completed, Decision, Event, Failure

FLAGS = (
    *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    *("--include-partial-messages", "--permission-prompt-tool", "stdio"),
)
"""Messages in and out, in pieces as they come; questions are asked there too."""

READY_WITHIN = 90.0
"""Seconds until it has begun."""
CANCELLED_WITHIN = 10.0
"""Seconds that it has to end a turn that was cancelled; then it is ended itself."""
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def resume_flags(resume: str | None) -> tuple[str, ...]:
    """The flags for an earlier conversation; raises `InvalidError` for what names none."""
    if resume is None:
        return ()
    if not _NAME.match(resume):
        raise InvalidError(f"{resume[:80]!r} names no conversation", field="resume", hint="take it from `started`")
    return ("--resume", resume)


@asynccontextmanager
async def open_claude(programs: Programs, argv: tuple[str, ...], resume: str | None) -> AsyncIterator[Conversation]:
    """Begin the program, and wait until it listens."""
    async with programs.run(argv) as running:
        conversation = ClaudeConversation(running)
        await conversation.begin(resume)
        yield conversation


class ClaudeConversation(Conversation):
    """One program, one conversation."""

    def __init__(self, running: Exec) -> None:
        self._running = running
        self._lines = Lines(running)
        self._messages = self._lines.messages()
        self._translation = Translation()
        self._busy = False
        self._over = False
        self._deadline = float("inf")
        self._waiting: anyio.CancelScope | None = None

    async def begin(self, resume: str | None) -> None:
        """Have it say that it listens; raises what speaks against it."""
        asked = await self._request({"subtype": "initialize", "hooks": None})
        with anyio.move_on_after(READY_WITHIN):
            async for message in self._messages:
                answer = message.get("response")
                if message.get("type") == "result":
                    raise self._refused(why(message), resume)
                if message.get("type") == "control_response" and isinstance(answer, dict):
                    if answer.get("request_id") == asked and answer.get("subtype") == "success":
                        return
                    raise self._refused(str(answer.get("error", "")), resume)
            raise self._refused("", resume)
        raise DeadlineError(f"Claude Code did not begin within {READY_WITHIN:g} s")

    async def send(self, text: str) -> AsyncGenerator[Event]:
        self._begin_turn()
        left = True
        try:
            await self._write(
                {
                    "type": "user",
                    "message": {"role": "user", "content": [{"type": "text", "text": text}]},
                    "parent_tool_use_id": None,
                    "session_id": "",
                }
            )
            async with aclosing(self._turn()) as turn:
                async for message in turn:
                    left = message.get("type") != "result"
                    for event in self._translation.events(message):
                        yield event
                    if not left:
                        return
            for event in self._ended():
                yield event
        finally:
            self._busy = False
            self._over = self._over or left  # what comes still is of a turn that nobody listens to

    async def answer(self, request: str, decision: Decision) -> None:
        given = self._translation.asked.pop(request, None)
        if given is None:
            return
        answer: dict[str, Any] = {"behavior": "allow", "updatedInput": given}
        if not decision.allow:
            answer = {"behavior": "deny", "message": decision.message or "The user does not allow this."}
        response = {"subtype": "success", "request_id": request, "response": answer}
        await self._write({"type": "control_response", "response": response})

    async def cancel(self) -> None:
        if not self._busy or self._translation.cancelled:
            return
        self._translation.cancelled = True
        self._deadline = anyio.current_time() + CANCELLED_WITHIN
        if self._waiting is not None:
            self._waiting.deadline = self._deadline
        await self._request({"subtype": "interrupt"})

    def _begin_turn(self) -> None:
        if self._busy:
            raise ConflictError("a turn goes on: wait for its end, or cancel it")
        if self._over:
            raise LostError("the conversation has ended, or a turn of it was left", hint="resume it")
        self._busy, self._deadline = True, float("inf")
        self._translation.cancelled = False

    async def _turn(self) -> AsyncGenerator[Message]:
        """The messages until the program ends, or has not heeded a cancel in time."""
        while (message := await self._next()) is not None:
            if message.get("type") == "control_request":
                await self._decline(message)
            yield message

    async def _next(self) -> Message | None:
        with anyio.CancelScope(deadline=self._deadline) as self._waiting:
            return await anext(self._messages, None)
        return None

    async def _decline(self, message: Message) -> None:
        """Answer what it asks and we do not know, so that it does not wait for ever."""
        asked = message.get("request")
        known = isinstance(asked, dict) and asked.get("subtype") == "can_use_tool"
        if not known and isinstance(message.get("request_id"), str):
            error = {"subtype": "error", "request_id": message["request_id"], "error": "not known here"}
            await self._write({"type": "control_response", "response": error})

    def _ended(self) -> list[Event]:
        self._over = True
        if self._translation.cancelled:
            return [Completed(outcome="cancelled")]
        told = self._lines.complaint or "Claude Code has ended and does not say why"
        return [Failure(reason="Ended", message=told), Completed(outcome="failed")]

    async def _request(self, request: Message) -> str:
        name = uuid.uuid4().hex
        await self._write({"type": "control_request", "request_id": name, "request": request})
        return name

    async def _write(self, message: Message) -> None:
        try:
            await self._running.write(json.dumps(message).encode() + b"\n")
        except LostError:  # it has ended: what it has said is still to be read
            return

    def _refused(self, told: str, resume: str | None) -> NotFoundError | UnavailableError:
        self._over = True
        told = told or self._lines.complaint or "it does not say why"
        if resume is not None and "No conversation found" in told + self._lines.complaint:
            return NotFoundError(f"there is no conversation {resume!r}", field="resume")
        return UnavailableError(f"Claude Code did not begin: {told}")
