"""Where timelines are remembered: one row for each cause, numbered per agent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from sac_core.models.cause import Cause, Timeline


@dataclass(frozen=True, slots=True)
class About:
    """The agent that a cause is about."""

    tenant: str
    agent: str
    uid: str


class Known(NamedTuple):
    """What a writer must know of a stored cause. ``key`` makes two of them equal; its first part is the kind."""

    seq: int
    key: str
    because: int | None
    times: int


class CauseReader(ABC):
    """Reads timelines in one scope."""

    @abstractmethod
    async def timeline(self, name: str) -> Timeline:
        """The timeline of the agent whose uid is ``name``, else of the newest one of that name, alive or gone.

        Raises `NotFoundError` when nothing is remembered of either.
        """

    @abstractmethod
    async def newest_key(self, uid: str, prefix: str) -> str | None:
        """The key of the newest cause of an agent whose key begins with ``prefix``."""


class CauseWriter(CauseReader):
    """Writes causes in a unit of work: they are there if, and only if, what they explain is."""

    @abstractmethod
    async def hold(self) -> None:
        """Let other writers wait until this unit ends; for units that write nothing but causes."""

    @abstractmethod
    async def known(self, uid: str) -> list[Known]:
        """All causes of an agent, newest last."""

    @abstractmethod
    async def add(self, about: About, key: str, cause: Cause) -> None:
        """Add one; ``cause.seq`` must not be in use."""

    @abstractmethod
    async def recount(self, uid: str, cause: Cause) -> None:
        """Write count, last time, text and details of the one with ``cause.seq``."""

    @abstractmethod
    async def forget(self, uid: str, seqs: list[int]) -> None:
        """Remove some of an agent's."""
