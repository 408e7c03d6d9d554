"""The kind of agent: turns an Agent into a Launch, and holds conversations with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager

from sac_core.contracts.conversation import Conversation, Programs
from sac_core.errors import UnsupportedError
from sac_core.models.agent import Agent
from sac_core.models.launch import Launch
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe
from sac_core.models.workspace import Places


class Runtime(ABC):
    """Knows one kind of agent. Pure and quick, but for conversations: no I/O, the same answer for the same agent."""

    @abstractmethod
    def launch(self, agent: Agent) -> Launch | None:
        """The body that an agent needs; None when it needs none. Raises `InvalidError` that names the field."""

    def programs(self, agent: Agent) -> dict[str, str]:
        """Programs that a body must have before it runs: names or absolute paths, each with what to do without it."""
        return {}

    def variables(self, agent: Agent) -> dict[str, str]:
        """As which variables the secrets come that its options refer to: by the option's path on the wire."""
        return {}

    def places(self, agent: Agent) -> Places:
        """Where in the workspace it looks for instructions and skills."""
        return Places()

    def recipe(self) -> Recipe | None:
        """How the image of its agents is made, where they name none; None leaves that to the executor."""
        return None

    @abstractmethod
    def terminal(self, agent: Agent) -> Command | None:
        """What a session runs when it names no command; None when this runtime has no terminal."""

    def open_conversation(
        self, agent: Agent, programs: Programs, resume: str | None
    ) -> AbstractAsyncContextManager[Conversation]:
        """Talk with an agent that runs; ``resume`` is what `Started` gave of an earlier conversation.

        Raises `NotFoundError` when there is none of that name, `UnsupportedError` where this runtime does not talk.
        """
        raise UnsupportedError("this runtime holds no conversations", field="spec.runtime")
