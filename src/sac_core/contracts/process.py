"""A running command in a body."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from sac_core.models.process import Chunk, Exit


class Process(ABC):
    """A command in a body, found again by its id for as long as the body remembers it.

    Offsets count output bytes from the process's first byte, over all its streams. Every method is safe to cancel.
    """

    id: str

    @abstractmethod
    def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        """Output from offset ``since`` (None: only what comes from now on) to the last byte, then it ends.

        Chunks are in order; an offset beyond the end of the chunk before is a gap, which only ``overflow: drop`` has.
        May be called again, also at the same time, where the body keeps the log (it has a holder); else once.
        """

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Returns when the process's terminal or pipe has taken all of ``data``; `LostError` when it has ended."""

    @abstractmethod
    async def eof(self) -> None:
        """End its input: closes the pipe, or sends the terminal's end-of-file character."""

    @abstractmethod
    async def resize(self, cols: int, rows: int) -> None:
        """Set the terminal's size; `UnsupportedError` without a terminal."""

    @abstractmethod
    async def signal(self, name: str) -> None:
        """Signal its process group; ``name`` without SIG, one of `SIGNALS`. Without effect once it has ended."""

    @abstractmethod
    async def wait(self) -> Exit:
        """Its end, told after the last byte of output can be read; again and again the same."""

    @abstractmethod
    async def detach(self) -> None:
        """Let go and leave it running. Idempotent."""

    @abstractmethod
    async def aclose(self) -> None:
        """End it, reap it and forget it. Idempotent; completes even when cancelled."""
