"""What a plugin is given of SAC when it is opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored value, with the version that a compare-and-set names."""

    value: dict[str, Any]
    version: int


class State(ABC):
    """Small durable facts of one plugin, by key, with compare-and-set and expiry. Not for declared things."""

    @abstractmethod
    async def get(self, key: str) -> Entry | None:
        """The value, unless it expired."""

    @abstractmethod
    async def put(
        self, key: str, value: dict[str, Any], *, expected: int | None = None, ttl: float | None = None
    ) -> Entry:
        """Write. ``expected`` 0: only if absent, a version: only if unchanged, None: always; `ConflictError` when lost.

        ``ttl`` in seconds; none keeps it for ever.
        """

    @abstractmethod
    async def take(self, key: str) -> Entry | None:
        """Read and remove in one step: of many callers at once, one gets it."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove; absent is success."""


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a plugin may use of SAC: the installation's id (the owner label), a folder of its own, state, a clock."""

    owner: str
    folder: Path
    state: State
    now: Callable[[], datetime] = utc_now
