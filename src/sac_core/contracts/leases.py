"""Who works on what: servers that share a database share its agents, each agent belonging to one of them at a time.

A server is alive as long as it beats, by the database's clock. What it owns is written in the row (``owner_server``),
with a ``fence`` that each change of the owner raises: whoever read a row before that cannot write it any more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Living:
    """A server that is alive: the targets that it reaches, by `Placement.key`, and how many agents it owns."""

    server: str
    targets: frozenset[str]
    agents: int


class Leases(ABC):
    """The leases of one server."""

    @property
    @abstractmethod
    def server(self) -> str:
        """This server's id, of this run."""

    @property
    @abstractmethod
    def alone(self) -> bool:
        """Whether there can be no other server: nobody would take over, and nothing runs out."""

    @abstractmethod
    async def beat(self, targets: Collection[str], *, ttl: float) -> Mapping[str, Living]:
        """Be alive for another ``ttl`` seconds, and say who else is, by id; what the dead owned is nobody's then."""

    @abstractmethod
    async def claim(self, *, but: Collection[str], limit: int) -> Sequence[str]:
        """Own agents that are nobody's, except those on the targets ``but``; their uids."""

    @abstractmethod
    async def take(self, kind: str, uid: str) -> bool:
        """Own one thing that is nobody's, or this server's already; whether it is now this server's."""

    @abstractmethod
    async def give_up(self, kind: str, uids: Collection[str]) -> None:
        """Own these no more; those of others are left alone."""

    @abstractmethod
    async def leave(self) -> None:
        """End: everything that this server owns is nobody's at once."""
