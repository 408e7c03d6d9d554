"""Conversations as the core holds them: what a runtime does wrong is its own fault, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sac_core.builtin.shell import ShellRuntime
from sac_core.contracts.conversation import Conversation, Programs
from sac_core.core import Core, open_core
from sac_core.errors import ForbiddenError, InvalidError, NotReadyError, UnavailableError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin
from sac_core.models.agent import Agent
from sac_core.models.conversation import Completed, Decision, Event, Text
from sac_core.models.principal import LOCAL, Principal
from sac_core.settings import Settings

LOOKER = Principal(kind="user", name="looker", permissions=frozenset({"agents:get"}))


class Parrot(Conversation):
    """Says what a program in the body says; breaks at ``break``."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    async def send(self, text: str) -> AsyncGenerator[Event]:
        if text == "break":
            raise ValueError("canary")
        async with self._programs.run(["sh", "-c", 'read line; echo "$line $COLOUR"; pwd']) as running:
            await running.write(text.encode() + b"\n")
            yield Text(text=b"".join([chunk.data async for chunk in running.output()]).decode())
        yield Completed()

    async def answer(self, request: str, decision: Decision) -> None:
        raise KeyError(request)

    async def cancel(self) -> None:
        return None


class ParrotRuntime(ShellRuntime):
    @asynccontextmanager
    async def open_conversation(
        self, agent: Agent, programs: Programs, resume: str | None
    ) -> AsyncIterator[Conversation]:
        if resume == "break":
            raise ValueError("canary")
        yield Parrot(programs)


class Offers:
    @hookimpl
    def sac_runtimes(self) -> list[RuntimePlugin]:
        return [RuntimePlugin(name="parrot", summary="Repeats", make=ParrotRuntime)]


@pytest.fixture
async def core(settings: Settings) -> AsyncIterator[Core]:
    async with open_core(settings, plugins=[("parrot", Offers())]) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1", {"runtime": "parrot", "env": {"COLOUR": "green"}})
        await sac.agents.wait("a1", timeout=15)
        yield core


async def test_programs_run_in_the_workspace_with_the_agents_variables(core: Core) -> None:
    async with core.sac(LOCAL).agents.converse("a1") as talk:
        events = [event async for event in talk.send("hello")]
    assert isinstance(events[0], Text)
    first, folder = events[0].text.splitlines()
    assert (first, folder.endswith("/work"), events[1]) == ("hello green", True, Completed())


async def test_what_a_runtime_raises_is_told_as_its_fault(core: Core) -> None:
    sac = core.sac(LOCAL)
    async with sac.agents.converse("a1") as talk:
        with pytest.raises(UnavailableError, match="runtime 'parrot': send raised ValueError") as raised:
            [event async for event in talk.send("break")]
        assert "canary" not in str(raised.value)
        with pytest.raises(UnavailableError, match="answer raised KeyError"):
            await talk.answer("r1", Decision(allow=True))
    with pytest.raises(UnavailableError, match="open_conversation raised ValueError"):
        async with sac.agents.converse("a1", resume="break"):
            pass
    (plugin,) = [each for each in await sac.plugins() if each.name == "parrot"]
    assert plugin.state == "troubled"


async def test_what_the_caller_raises_is_the_callers(core: Core) -> None:
    with pytest.raises(ZeroDivisionError):
        async with core.sac(LOCAL).agents.converse("a1"):
            raise ZeroDivisionError
    (plugin,) = [each for each in await core.sac(LOCAL).plugins() if each.name == "parrot"]
    assert plugin.state == "loaded"


async def test_who_may_not_and_when_not(core: Core) -> None:
    with pytest.raises(ForbiddenError):
        async with core.sac(LOOKER).agents.converse("a1"):
            pass
    sac = core.sac(LOCAL)
    async with sac.agents.converse("a1") as talk:
        with pytest.raises(InvalidError):
            [event async for event in talk.send(" ")]
    await sac.agents.stop("a1")
    await sac.agents.wait("a1", "Stopped", timeout=15)
    with pytest.raises(NotReadyError):
        async with sac.agents.converse("a1"):
            pass
