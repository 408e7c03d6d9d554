"""One agent as a step looks at it, and the executor's calls for it, each with its deadline."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import anyio

from sac_core.contracts.store import Record
from sac_core.errors import ConflictError, SacError, UnavailableError, UnsupportedError
from sac_core.models.agent import Agent, AgentStatus
from sac_core.models.body import Key, Observed
from sac_core.models.launch import NO_SECRETS, Launch, Secrets
from sac_core.service import notes
from sac_core.service.bodies import key_of
from sac_core.service.services import Services
from sac_core.service.targets import Target

R = TypeVar("R")

CALL_DEADLINE = 30.0
"""Seconds that a call of an executor may take."""

GRACE = 5.0
"""Seconds that a body has to end before it is killed."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step found: the status to write, and the seconds after which to look again (None: on the next hint)."""

    status: AgentStatus
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """An agent with its row, its launch and where it runs. ``told`` gathers what its timeline is told of the step."""

    services: Services
    record: Record
    agent: Agent
    launch: Launch | None
    target: Target
    told: list[notes.Note] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """The key of its body."""
        return key_of(self.agent)

    @property
    def fresh(self) -> bool:
        """Whether this generation has not been looked at before."""
        return self.agent.status.observed_generation != self.agent.metadata.generation

    @property
    def attempted(self) -> bool:
        """Whether this generation's body was asked for, and no other attempt is planned."""
        return not self.fresh and self.agent.status.next_attempt is None

    @property
    def waits(self) -> float | None:
        """Seconds until the next attempt; None when it is due, or none is planned."""
        due = self.agent.status.next_attempt
        if due is None or self.fresh:
            return None
        left = (due - self.services.now()).total_seconds()
        return left if left > 0 else None

    def with_status(self, status: AgentStatus) -> Work:
        """The same with another status, which is as good as written."""
        return replace(self, agent=self.agent.model_copy(update={"status": status}))

    async def observe(self) -> Observed:
        """What is there now."""
        body = await self._call("observe", self.target.executor.observe(self.key))
        await self._see(body, expected=not self._vanished(body))
        return body

    async def ensure(self, launch: Launch, secrets: Secrets = NO_SECRETS) -> Observed:
        """Ask for the body."""
        call = self.target.executor.ensure(self.key, launch, secrets)
        return await self._ask("ensure", call, always=self.fresh)

    async def stop(self) -> Observed:
        """End the body and keep what is its own; an executor that cannot keep it deletes it without its volumes."""
        generation = self.agent.metadata.generation
        try:
            return await self._ask("stop", self.target.executor.stop(self.key, generation=generation, grace=GRACE))
        except UnsupportedError:
            return await self.delete(purge=False)

    async def delete(self, *, purge: bool) -> Observed:
        """End and remove the body."""
        generation = self.agent.metadata.generation
        call = self.target.executor.delete(self.key, generation=generation, grace=GRACE, purge=purge)
        return await self._ask("delete", call)

    async def _ask(self, name: str, call: Awaitable[Observed], *, always: bool = False) -> Observed:
        """A call that changes something; the timeline is told of it when it did, or ``always``."""
        began = time.monotonic()
        body = await self._call(name, call)
        at = len(self.told)
        if await self._see(body, expected=True) or always:
            took = time.monotonic() - began
            note = notes.called(self.target.name, name, self.agent.metadata.generation, took, body)
            self.told.insert(at, note)
        return body

    async def _call(self, name: str, call: Awaitable[Observed]) -> Observed:
        began = time.monotonic()
        try:
            return await within_deadline(call, most=self.services.leasing.left)
        except SacError as error:
            if name != "stop" or not isinstance(error, UnsupportedError):  # then it is deleted instead
                took = time.monotonic() - began
                generation = self.agent.metadata.generation
                self.told.append(notes.call_failed(self.target.name, name, generation, took, error))
            raise

    async def _see(self, body: Observed, *, expected: bool) -> bool:
        """Whether the body is another than when it was last looked at."""
        before = await self.services.chronicle.seen_before(body.key.uid, notes.body_key(body))
        if before is None:
            return False
        by_itself = body.phase in ("exited", "failed", "unknown") and before != notes.ENDING
        self.told.append(notes.seen(self.target.name, body, expected=expected and not by_itself))
        return True

    def _vanished(self, body: Observed) -> bool:
        return body.phase == "absent" and not self.fresh and self.agent.status.phase == "Running"


async def within_deadline(call: Awaitable[R], *, most: float = CALL_DEADLINE) -> R:
    """A call of an executor; raises `UnavailableError` when it hangs, or knows a newer generation than the store.

    ``most`` is how long this server may still act on the agent, in seconds.
    """
    deadline = max(0.0, min(CALL_DEADLINE, most))
    try:
        with anyio.fail_after(deadline):
            return await call
    except TimeoutError:
        raise UnavailableError(f"the executor did not answer within {deadline:g} s") from None
    except ConflictError as error:  # a restored database: trying at once would not help, and killing would be wrong
        raise UnavailableError(error.message, hint=error.hint) from None
