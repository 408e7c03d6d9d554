"""Conversations that break one promise each, as plausible mistakes do. There is no model: a word says what happens."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

import anyio
import pytest

from sac_core.contracts.conversation import Conversation
from sac_core.errors import ConflictError, LostError, NotFoundError
from sac_core.models.conversation import (
    Completed,
    Decision,
    Event,
    Failure,
    Permission,
    Started,
    Text,
    ToolResult,
    ToolUse,
    Usage,
)
from sac_core.testing.conversation_suite import ConversationContract


class World:
    """What outlives a conversation: which there were, and whether anything was done."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.done = False


class GoodConversation(Conversation):
    """Keeps every promise."""

    def __init__(self, world: World, resume: str | None) -> None:
        self._world = world
        self._name = self._begin(resume)
        self._busy = self._over = False
        self._cancelled = anyio.Event()
        self._asked: dict[str, bool | None] = {}
        self._news = anyio.Event()

    def _begin(self, resume: str | None) -> str:
        if resume is not None and resume not in self._world.names:
            raise NotFoundError("there is no such conversation", field="resume")
        return resume or uuid.uuid4().hex

    async def send(self, text: str) -> AsyncGenerator[Event]:
        if self._busy:
            raise ConflictError("a turn goes on")
        if self._over:
            raise LostError("a turn was left")
        self._busy, self._cancelled, left = True, anyio.Event(), True
        self._world.names.add(self._name)
        try:
            yield Started(conversation=self._name)
            async for event in self._said(text):
                left = not isinstance(event, Completed)
                yield event
        finally:
            self._busy, self._over = False, self._over or left

    async def _said(self, text: str) -> AsyncIterator[Event]:
        match text:
            case "linger":
                yield Text(text="first half")
                await self._cancelled.wait()
                yield Completed(outcome="cancelled")
            case "ask":
                async for event in self._ask():
                    yield event
            case "fail":
                yield Failure(reason="ModelRefused", message="it does not want to")
                yield Completed(outcome="failed")
            case _:
                yield Text(text="gladly")
                yield Usage(input_tokens=1, output_tokens=1)
                yield Completed()

    async def _ask(self) -> AsyncIterator[Event]:
        self._asked, self._news = {"r1": None}, anyio.Event()
        yield ToolUse(id="u1", name="Write")
        yield Permission(request="r1", tool="Write")
        await self._news.wait()
        answer = self._asked.pop("r1")
        if self._cancelled.is_set():
            yield Completed(outcome="cancelled")
            return
        self._act(bool(answer))
        yield ToolResult(id="u1", failed=not answer)
        yield Completed()

    def _act(self, allowed: bool) -> None:
        self._world.done = self._world.done or allowed

    async def answer(self, request: str, decision: Decision) -> None:
        if request in self._asked:
            self._asked[request] = decision.allow
            self._news.set()

    async def cancel(self) -> None:
        if self._busy:
            self._cancelled.set()
            self._news.set()


class BeginsInSilence(GoodConversation):
    """Does not say that a turn began."""

    async def send(self, text: str) -> AsyncGenerator[Event]:
        async for event in super().send(text):
            if not isinstance(event, Started):
                yield event


class NamesEachTurn(GoodConversation):
    """Has another name in each turn."""

    async def send(self, text: str) -> AsyncGenerator[Event]:
        self._name = uuid.uuid4().hex
        async for event in super().send(text):
            yield event


class TalksAtOnce(GoodConversation):
    """Begins a turn while another goes on."""

    async def send(self, text: str) -> AsyncGenerator[Event]:
        self._busy = False
        async for event in super().send(text):
            yield event


class ForgetsLeaving(GoodConversation):
    """Goes on with a turn that nobody has heard to its end."""

    async def send(self, text: str) -> AsyncGenerator[Event]:
        self._over = False
        async for event in super().send(text):
            yield event


class FailsInSilence(GoodConversation):
    """Does not say why a turn failed."""

    async def send(self, text: str) -> AsyncGenerator[Event]:
        async for event in super().send(text):
            if not isinstance(event, Failure):
                yield event


class DiesOfCancel(GoodConversation):
    """Ends with the turn that was cancelled."""

    async def cancel(self) -> None:
        self._over = self._over or self._busy
        await super().cancel()


class GoesOn(GoodConversation):
    """Does not heed a cancel."""

    async def cancel(self) -> None:
        return None


class TripsOverNothing(GoodConversation):
    """Cancels what is not there."""

    async def cancel(self) -> None:
        if not self._busy:
            raise RuntimeError("there is no turn")
        await super().cancel()


class ResumesAnother(GoodConversation):
    """Begins anew where it should resume."""

    def _begin(self, resume: str | None) -> str:
        super()._begin(resume)
        return uuid.uuid4().hex


class ForgetsCancelled(GoodConversation):
    """Drops what was cancelled, so that it cannot be resumed."""

    async def cancel(self) -> None:
        if self._busy:
            self._world.names.discard(self._name)
        await super().cancel()


class MakesUp(GoodConversation):
    """Resumes what never was."""

    def _begin(self, resume: str | None) -> str:
        return resume or uuid.uuid4().hex


class DoesNothing(GoodConversation):
    """Does not do what it may."""

    def _act(self, allowed: bool) -> None:
        return None


class DoesAnyway(GoodConversation):
    """Does what it may not."""

    def _act(self, allowed: bool) -> None:
        self._world.done = True


class HearsTooLate(GoodConversation):
    """Does what it is allowed after the turn was cancelled."""

    async def answer(self, request: str, decision: Decision) -> None:
        self._act(decision.allow)
        await super().answer(request, decision)


class TripsOverAnswers(GoodConversation):
    """Knows every request."""

    async def answer(self, request: str, decision: Decision) -> None:
        self._asked[request] = self._asked[request] or decision.allow
        self._news.set()


class BrokenContract(ConversationContract):
    timeout = 2.0
    broken: ClassVar[type[GoodConversation]]

    @pytest.fixture(autouse=True)
    def _world(self) -> None:
        self.world = World()

    def talk(self, resume: str | None = None) -> AbstractAsyncContextManager[Conversation]:
        return self._begun(resume)

    @asynccontextmanager
    async def _begun(self, resume: str | None) -> AsyncIterator[Conversation]:
        yield self.broken(self.world, resume)

    def plain(self) -> str:
        return "hello"

    def asking(self) -> str:
        return "ask"

    def done(self) -> bool:
        return self.world.done

    def lingering(self) -> str:
        return "linger"

    def failing(self) -> str:
        return "fail"
