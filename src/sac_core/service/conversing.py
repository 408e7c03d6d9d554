"""Conversations with agents: the runtime talks, with programs that are run in the body as an exec is."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager

from sac_core.contracts.conversation import Conversation, Programs
from sac_core.contracts.sac import Exec
from sac_core.contracts.store import Scope
from sac_core.errors import SacError, UnavailableError
from sac_core.hooks.registry import Registry
from sac_core.models.agent import Agent
from sac_core.models.conversation import Decision, Event
from sac_core.models.launch import Launch
from sac_core.models.process import Command
from sac_core.service.execs import open_exec
from sac_core.service.opener import enter_body, running_agent
from sac_core.service.secret_delivery import environment
from sac_core.service.services import Services
from sac_core.wire.converse import check_text

log = logging.getLogger("sac.plugins")


@asynccontextmanager
async def converse(services: Services, scope: Scope, name: str, resume: str | None) -> AsyncIterator[Conversation]:
    """Talk with a running agent that a scope sees."""
    agent, launch = await running_agent(services, scope, name)
    runtime = services.registry.runtime(agent.spec.runtime)
    blame = _Blame(services.registry, runtime.name)
    async with AsyncExitStack() as stack:
        with blame.of("open_conversation"):
            opening = runtime.make().open_conversation(agent, BodyPrograms(services, agent, launch), resume)
            conversation = await stack.enter_async_context(opening)
        yield Contained(conversation, blame)


class BodyPrograms(Programs):
    """Programs in an agent's body, with its variables."""

    def __init__(self, services: Services, agent: Agent, launch: Launch) -> None:
        self._services = services
        self._agent = agent
        self._launch = launch

    @asynccontextmanager
    async def run(self, argv: Sequence[str]) -> AsyncIterator[Exec]:
        body = await enter_body(self._services, self._agent)
        command = Command(
            argv=tuple(argv),
            env=await environment(self._services, self._agent, self._launch, body),
            cwd=self._launch.template.cwd,
            stdin=True,
            overflow="block",
        )
        async with open_exec(body, command) as running:
            yield running


class _Blame:
    """What a runtime raises that is no error of SAC's is told as its fault."""

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self._name = name

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        try:
            yield
        except SacError:
            raise
        except Exception as error:  # the text may be anything: only the class is told
            log.error("runtime %s failed in %s", self._name, what, exc_info=error)
            told = f"{what} raised {type(error).__name__}, which is no error of SAC's"
            self._registry.troubles.note("runtime", self._name, told)
            raise UnavailableError(f"runtime {self._name!r}: {told}", hint="see: sac plugins") from error


class Contained(Conversation):
    """A runtime's conversation, whose faults are its own."""

    def __init__(self, inner: Conversation, blame: _Blame) -> None:
        self._inner = inner
        self._blame = blame

    async def send(self, text: str) -> AsyncGenerator[Event]:
        check_text(text)
        with self._blame.of("send"):
            async with aclosing(self._inner.send(text)) as events:
                async for event in events:
                    yield event

    async def answer(self, request: str, decision: Decision) -> None:
        with self._blame.of("answer"):
            await self._inner.answer(request, decision)

    async def cancel(self) -> None:
        with self._blame.of("cancel"):
            await self._inner.cancel()
