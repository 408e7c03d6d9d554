"""The promises of conversations: whole turns of known events, answers that count, cancelled and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import ClassVar, get_args

import anyio
import pytest

from sac_core.contracts.conversation import Conversation
from sac_core.errors import ConflictError, InvalidError, LostError, NotFoundError
from sac_core.models.conversation import (
    Completed,
    Decision,
    Event,
    Failure,
    Permission,
    Started,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.unwritten import demand_written

KNOWN: tuple[type, ...] = get_args(get_args(Event)[0])
NEVER = "00000000-0000-4000-8000-000000000009"
"""What no conversation is called."""


class ConversationContract:
    """Override `talk` and `plain`; the others where the runtime can be brought to do that.

    What they return is said next: a subclass may make its model ready for it, once for each call.
    """

    pytestmark = pytest.mark.anyio

    timeout: ClassVar[float] = 60.0
    """Seconds that a turn may take."""

    def talk(self, resume: str | None = None) -> AbstractAsyncContextManager[Conversation]:
        """A conversation with the agent of this test, which runs."""
        raise NotImplementedError("override talk(resume)")

    def plain(self) -> str:
        """What is answered in words, without a tool."""
        raise NotImplementedError("override plain()")

    def asking(self) -> str:
        """What makes it ask for permission once, and do then what `done` sees."""
        pytest.skip("capability: asking (override ConversationContract.asking and done)")

    def done(self) -> bool:
        """Whether that was done."""
        raise NotImplementedError("override done()")

    def lingering(self) -> str:
        """What begins to be answered, and is not answered whole unless it is cancelled."""
        pytest.skip("capability: lingering (override ConversationContract.lingering)")

    def failing(self) -> str:
        """What fails at the model."""
        pytest.skip("capability: failing (override ConversationContract.failing)")

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture(autouse=True)
    def _written(self) -> None:
        demand_written((self, ConversationContract))

    @promise("turns")
    async def test_a_turn_is_whole(self) -> None:
        async with self.talk() as talk:
            events = await self._turn(talk, self.plain())
        self._whole(events, "done")
        assert any(isinstance(event, Text) for event in events), "nothing is answered"

    @promise("turns")
    async def test_turns_are_of_one_conversation(self) -> None:
        async with self.talk() as talk:
            names = [_name(await self._turn(talk, self.plain())) for _ in range(2)]
        assert names[0] == names[1], "the second turn is said to be of another conversation"

    @promise("turns")
    async def test_one_turn_at_a_time(self) -> None:
        async with self.talk() as talk, aclosing(talk.send(self.lingering())) as turn:
            with anyio.fail_after(self.timeout):
                await anext(turn)
                with pytest.raises(ConflictError):
                    await anext(talk.send("and this"))
                await talk.cancel()
                rest = [event async for event in turn]
            assert rest[-1] == Completed(outcome="cancelled"), "the first turn was harmed by the second"

    @promise("turns")
    async def test_a_turn_that_was_left_is_the_last(self) -> None:
        async with self.talk() as talk:
            with anyio.fail_after(self.timeout):
                async with aclosing(talk.send(self.plain())) as turn:
                    await anext(turn)
                with pytest.raises(LostError):
                    await anext(talk.send("go on"))

    @promise("turns")
    async def test_a_failed_turn_says_why(self) -> None:
        async with self.talk() as talk:
            events = await self._turn(talk, self.failing())
        self._whole(events, "failed")
        failure = next((event for event in events if isinstance(event, Failure)), None)
        assert failure is not None, "a turn failed and does not say why"
        assert (bool(failure.reason), bool(failure.message)) == (True, True), "a failure without words"

    @promise("cancel")
    async def test_a_cancelled_turn_says_so_and_the_next_goes_on(self) -> None:
        async with self.talk() as talk:
            events = await self._cancelled(talk, self.lingering(), Text | Thinking)
            self._whole(events, "cancelled")
            self._whole(await self._turn(talk, self.plain()), "done")

    @promise("cancel")
    async def test_cancelling_nothing_is_harmless(self) -> None:
        async with self.talk() as talk:
            await talk.cancel()
            self._whole(await self._turn(talk, self.plain()), "done")
            await talk.cancel()
            await talk.cancel()
            self._whole(await self._turn(talk, self.plain()), "done")

    @promise("resume")
    async def test_a_conversation_is_resumed(self) -> None:
        async with self.talk() as talk:
            name = _name(await self._turn(talk, self.plain()))
        async with self.talk(name) as talk:
            events = await self._turn(talk, self.plain())
        self._whole(events, "done")
        assert _name(events) == name, "what was resumed is another conversation"

    @promise("resume")
    async def test_a_cancelled_conversation_is_resumed(self) -> None:
        async with self.talk() as talk:
            name = _name(await self._cancelled(talk, self.lingering(), Text | Thinking))
        async with self.talk(name) as talk:
            assert _name(await self._turn(talk, self.plain())) == name

    @promise("resume")
    @pytest.mark.parametrize("name", [NEVER, "--version", ""])
    async def test_what_was_never_said_is_not_resumed(self, name: str) -> None:
        with anyio.fail_after(self.timeout), pytest.raises((NotFoundError, InvalidError)):
            async with self.talk(name) as talk:
                await anext(talk.send(self.plain()))

    @promise("permission")
    async def test_what_is_allowed_is_done(self) -> None:
        async with self.talk() as talk:
            events = await self._turn(talk, self.asking(), Decision(allow=True))
        self._whole(events, "done")
        assert self.done(), "it was allowed, and was not done"
        assert [event.failed for event in events if isinstance(event, ToolResult)] == [False]

    @promise("permission")
    async def test_what_is_refused_is_not_done(self) -> None:
        async with self.talk() as talk:
            events = await self._turn(talk, self.asking(), Decision(allow=False, message="not today"))
        self._whole(events, "done")
        assert not self.done(), "it was refused, and was done"
        assert all(event.failed for event in events if isinstance(event, ToolResult)), "what was refused succeeded"

    @promise("permission")
    async def test_a_question_ends_with_its_turn(self) -> None:
        async with self.talk() as talk:
            events = await self._cancelled(talk, self.asking(), Permission)
            self._whole(events, "cancelled")
            for event in events:
                if isinstance(event, Permission):
                    await talk.answer(event.request, Decision(allow=True))
            self._whole(await self._turn(talk, self.plain()), "done")
        assert not self.done(), "an answer that came too late was heeded"

    @promise("permission")
    async def test_an_answer_that_nobody_asked_for_is_harmless(self) -> None:
        async with self.talk() as talk:
            await talk.answer(NEVER, Decision(allow=True))
            self._whole(await self._turn(talk, self.plain()), "done")

    async def _turn(self, talk: Conversation, said: str, decision: Decision | None = None) -> list[Event]:
        """All events of a turn; questions get this decision."""
        events: list[Event] = []
        with anyio.fail_after(self.timeout):
            async for event in talk.send(said):
                events.append(event)
                if isinstance(event, Permission):
                    assert decision is not None, f"it asks where nothing is to be asked: {event.tool}"
                    await talk.answer(event.request, decision)
        return events

    async def _cancelled(self, talk: Conversation, said: str, kind: object) -> list[Event]:
        """All events of a turn that is cancelled at the first event of a kind."""
        events: list[Event] = []
        with anyio.fail_after(self.timeout):
            async for event in talk.send(said):
                events.append(event)
                if isinstance(event, kind):  # type: ignore[arg-type]
                    await talk.cancel()
                    await talk.cancel()
        return events

    def _whole(self, events: Sequence[Event], outcome: str) -> None:
        """From its beginning to its end, of known events alone; every result is of a use."""
        assert all(isinstance(event, KNOWN) for event in events), "it tells what is no event of the contract"
        starts = [number for number, event in enumerate(events) if isinstance(event, Started)]
        ends = [number for number, event in enumerate(events) if isinstance(event, Completed)]
        assert (starts, ends) == ([0], [len(events) - 1]), "a turn is Started first, and Completed last, once each"
        assert events[-1] == Completed.model_validate({"outcome": outcome}), f"it is not {outcome}: {events[-1]}"
        used: set[str] = set()
        for event in events:
            if isinstance(event, ToolUse):
                used.add(event.id)
            assert not isinstance(event, ToolResult) or event.id in used, "a result of what was not used"


def _name(events: Sequence[Event]) -> str:
    """What resumes the conversation of a turn."""
    started = next((event for event in events if isinstance(event, Started)), None)
    assert started is not None, "a turn did not say that it began"
    assert started.conversation, "a conversation has no name"
    return started.conversation
