"""What a watcher, an event stream and hooks are told: a change of one thing, after the fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

ChangeVerb = Literal["ADDED", "MODIFIED", "DELETED"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """One change; ``version`` orders all changes of an installation, and a watch goes on after it."""

    verb: ChangeVerb
    version: int
    object: T


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list: ``version`` is that of the whole read, ``next`` the token of the next part, if any."""

    items: tuple[T, ...]
    version: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """Told once by a watch: all that was there has been told, from now on it is live."""

    version: int


AnyChange = Change[Any]
