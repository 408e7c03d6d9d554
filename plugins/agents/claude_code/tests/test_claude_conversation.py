"""Conversations with the real program, embedded and over HTTP, against a stand-in for its model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import pytest

from model_endpoint import Endpoint, endpoint, text, thinking, tool_use
from sac_core.contracts.conversation import Conversation
from sac_core.contracts.sac import Sac
from sac_core.errors import InvalidError, NotFoundError
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
    Usage,
)
from sac_core.testing.conversation_suite import ConversationContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]

WRITE = tool_use("toolu_1", "Bash", command="echo made > made.txt; echo said", description="make a file")
LIMIT = 40.0


async def agent(sac: Sac, claude: str, folder: Path, model: Endpoint, **options: object) -> None:
    """The agent a1, running."""
    await sac.secrets.put("model", "sk-ant-api03-" + "Ab1_" * 10)
    given = {"apiKey": "model", "baseUrl": model.url, "program": claude, "permissionMode": "default", **options}
    where = {"workspace": {"folder": str(folder)}, "env": {"CLAUDE_CODE_MAX_RETRIES": "1"}}
    await sac.agents.create("a1", {"runtime": "claude-code", "runtimeOptions": given, **where})
    await sac.agents.wait("a1", timeout=LIMIT)


async def turn(talk: Conversation, said: str, decision: Decision | None = None) -> list[Event]:
    """All events of a turn; questions get this decision."""
    events: list[Event] = []
    with anyio.fail_after(LIMIT):
        async for event in talk.send(said):
            events.append(event)
            if isinstance(event, Permission):
                assert decision is not None, event
                await talk.answer(event.request, decision)
    return events


def words(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


class TestConversations(ConversationContract):
    """The promises of conversations, with the real program."""

    timeout = LIMIT
    sac: Sac
    model: Endpoint
    folder: Path

    @pytest.fixture(autouse=True)
    async def _agent(self, sac: Sac, claude: str, folder: Path) -> AsyncIterator[None]:
        with endpoint() as model:
            self.sac, self.model, self.folder = sac, model, folder
            await agent(sac, claude, folder, model)
            yield

    def talk(self, resume: str | None = None) -> AbstractAsyncContextManager[Conversation]:
        return self.sac.agents.converse("a1", resume=resume)

    def plain(self) -> str:
        self.model.script = [[text("Gladly.")]]
        return "hello"

    def asking(self) -> str:
        self.model.script = [[WRITE], [text("So be it.")]]
        return "make a file"

    def done(self) -> bool:
        return (self.folder / "made.txt").exists()

    def lingering(self) -> str:
        self.model.script, self.model.hold = [[text("First half."), text("Never said.")]], "First half."
        return "tell me all"

    def failing(self) -> str:
        self.model.script = [401, 401, 401, 401]
        return "hello"


async def test_a_turn_that_is_allowed_to_use_a_tool(surface: Sac, claude: str, folder: Path) -> None:
    first = [thinking("Let me see."), text("I will make it."), WRITE]
    with endpoint(first, [text("It is made.")]) as model:
        await agent(surface, claude, folder, model)
        async with surface.agents.converse("a1") as talk:
            events = await turn(talk, "make a file", Decision(allow=True))
    assert (folder / "made.txt").read_text() == "made\n"
    kinds = [type(event) for event in events]
    assert kinds == [Started, Thinking, Text, ToolUse, Permission, ToolResult, Text, Usage, Completed]
    used, asked, result, cost = events[3], events[4], events[5], events[7]
    assert isinstance(used, ToolUse)
    assert (used.name, used.input["command"]) == ("Bash", WRITE["input"]["command"])
    assert isinstance(asked, Permission)
    assert (asked.tool, asked.input) == ("Bash", used.input)
    assert isinstance(result, ToolResult)
    assert (result.id, result.text, result.failed) == (used.id, "said", False)
    assert isinstance(cost, Usage)
    assert (cost.input_tokens, cost.output_tokens) == (22, 14)
    assert (words(events), events[-1]) == ("I will make it.It is made.", Completed(outcome="done"))


async def test_a_refusal_is_told_to_the_agent(sac: Sac, claude: str, folder: Path) -> None:
    with endpoint([WRITE], [text("Then not.")]) as model:
        await agent(sac, claude, folder, model)
        async with sac.agents.converse("a1") as talk:
            events = await turn(talk, "make a file", Decision(allow=False, message="not on a Sunday"))
        assert "not on a Sunday" in str(model.asked[-1][1]["messages"])
    assert not (folder / "made.txt").exists()
    results = [event for event in events if isinstance(event, ToolResult)]
    assert [result.failed for result in results] == [True]
    assert words(events) == "Then not."


async def test_a_turn_is_cancelled_in_the_middle_and_resumed_later(surface: Sac, claude: str, folder: Path) -> None:
    with endpoint([text("First half."), text("Never said.")], [text("Gladly.")]) as model:
        model.hold = "First half."
        await agent(surface, claude, folder, model)
        events: list[Event] = []
        async with surface.agents.converse("a1") as talk:
            with anyio.fail_after(LIMIT):
                async for event in talk.send("tell me all"):
                    events.append(event)
                    if isinstance(event, Text):
                        await talk.cancel()
        assert (words(events), events[-1]) == ("First half.", Completed(outcome="cancelled"))
        started = events[0]
        assert isinstance(started, Started)
        model.held.set()
        async with surface.agents.converse("a1", resume=started.conversation) as talk:
            again = await turn(talk, "go on")
        assert isinstance(again[0], Started)
        assert (again[0].conversation, words(again)) == (started.conversation, "Gladly.")
        told = str(model.asked[-1][1]["messages"])
        assert ("tell me all" in told, "First half." in told) == (True, True)


async def test_a_question_is_cancelled_with_its_turn_and_the_next_turn_goes_on(
    sac: Sac, claude: str, folder: Path
) -> None:
    with endpoint([WRITE], [text("Something else.")]) as model:
        await agent(sac, claude, folder, model)
        async with sac.agents.converse("a1") as talk:
            events = []
            with anyio.fail_after(LIMIT):
                async for event in talk.send("make a file"):
                    events.append(event)
                    if isinstance(event, Permission):
                        await talk.cancel()
            assert events[-1] == Completed(outcome="cancelled")
            asked = next(event for event in events if isinstance(event, Permission))
            await talk.answer(asked.request, Decision(allow=True))  # nobody asks any more
            assert words(await turn(talk, "something else")) == "Something else."
    assert not (folder / "made.txt").exists()


async def test_a_model_that_refuses_is_a_failed_turn(surface: Sac, claude: str, folder: Path) -> None:
    with endpoint(401, 401, 401, 401) as model:
        await agent(surface, claude, folder, model)
        async with surface.agents.converse("a1") as talk:
            events = await turn(talk, "hello")
    failure = next(event for event in events if isinstance(event, Failure))
    assert (failure.reason, events[-1]) == ("ModelRefused", Completed(outcome="failed"))


async def test_what_was_never_said_cannot_be_resumed(surface: Sac, claude: str, folder: Path) -> None:
    with endpoint() as model:
        await agent(surface, claude, folder, model)
        with pytest.raises(NotFoundError):
            async with surface.agents.converse("a1", resume="00000000-0000-4000-8000-000000000009"):
                pass
        with pytest.raises(InvalidError):
            async with surface.agents.converse("a1", resume="--version"):
                pass
