"""A conversation with an agent, without a terminal: turns as events, questions answered, cancelled in mid-turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from sac_core.models.conversation import Decision, Event

if TYPE_CHECKING:
    from sac_core.contracts.sac import Exec


class Conversation(ABC):
    """One conversation. Leaving its context ends what serves it; what was said is kept, to be resumed."""

    @abstractmethod
    def send(self, text: str) -> AsyncGenerator[Event]:
        """Say something; the events of the turn, of which the last is `Completed`.

        One turn at a time: `ConflictError` while another goes on. `LostError` when what serves it has ended, or a turn
        was left before its end.
        """

    @abstractmethod
    async def answer(self, request: str, decision: Decision) -> None:
        """Answer a `Permission`; one that is not asked any more is nobody's."""

    @abstractmethod
    async def cancel(self) -> None:
        """End the turn that goes on: its last event says so. Without one, nothing happens."""


class Programs(ABC):
    """How a runtime runs programs in the body of an agent."""

    @abstractmethod
    def run(self, argv: Sequence[str]) -> AbstractAsyncContextManager[Exec]:
        """Run one in the workspace, with the agent's variables and an input; leaving the context ends it."""
