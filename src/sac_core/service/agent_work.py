"""One agent as a step looks at it, and the executor's calls for it, each with its deadline."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TypeVar

import anyio

from sac_core.contracts.store import Record
from sac_core.errors import ConflictError, UnavailableError, UnsupportedError
from sac_core.models.agent import Agent, AgentStatus
from sac_core.models.body import Key, Observed
from sac_core.models.launch import NO_SECRETS, Launch
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
    """An agent with its row, its launch and where it runs."""

    services: Services
    record: Record
    agent: Agent
    launch: Launch | None
    target: Target

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
        return await within_deadline(self.target.executor.observe(self.key))

    async def ensure(self, launch: Launch) -> Observed:
        """Ask for the body."""
        return await within_deadline(self.target.executor.ensure(self.key, launch, NO_SECRETS))

    async def stop(self) -> Observed:
        """End the body and keep what is its own; an executor that cannot keep it deletes it without its volumes."""
        generation = self.agent.metadata.generation
        try:
            return await within_deadline(self.target.executor.stop(self.key, generation=generation, grace=GRACE))
        except UnsupportedError:
            return await self.delete(purge=False)

    async def delete(self, *, purge: bool) -> Observed:
        """End and remove the body."""
        generation = self.agent.metadata.generation
        call = self.target.executor.delete(self.key, generation=generation, grace=GRACE, purge=purge)
        return await within_deadline(call)


async def within_deadline(call: Awaitable[R]) -> R:
    """A call of an executor; raises `UnavailableError` when it hangs, or knows a newer generation than the store."""
    try:
        with anyio.fail_after(CALL_DEADLINE):
            return await call
    except TimeoutError:
        raise UnavailableError(f"the executor did not answer within {CALL_DEADLINE:g} s") from None
    except ConflictError as error:  # a restored database: trying at once would not help, and killing would be wrong
        raise UnavailableError(error.message, hint=error.hint) from None
