"""Where recordings keep their bytes: sealed chunks, numbered from 1 without a hole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk of a recording.

    ``offset`` is where its output ends, ``missed`` how much of all output up to there was not seen, ``micros`` the
    recording's time at its end, ``digest`` the SHA-256 of the digest before it and of ``data``. ``last``: none follows.
    """

    recording: str
    number: int
    offset: int
    missed: int
    micros: int
    last: bool
    digest: str
    data: bytes = field(repr=False)


class Chunks(ABC):
    """Keeps chunks. Each call is a transaction of its own."""

    @abstractmethod
    async def add(self, chunks: Sequence[StoredChunk]) -> frozenset[str]:
        """Keep chunks of several recordings; returns those recordings whose number was taken, of which none is kept."""

    @abstractmethod
    async def newest(self, recording: str) -> StoredChunk | None:
        """The chunk with the highest number."""

    @abstractmethod
    async def after(self, recording: str, number: int, *, limit: int) -> list[StoredChunk]:
        """At most ``limit`` chunks that follow a number, in order."""

    @abstractmethod
    async def remove(self, recording: str) -> None:
        """Forget all chunks of a recording; none is success."""
