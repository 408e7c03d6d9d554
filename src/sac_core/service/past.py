"""A process that is no more: its end is known, its output is not."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sac_core.contracts.process import Process
from sac_core.errors import LostError
from sac_core.models.process import Chunk, Exit


class PastProcess(Process):
    """What a viewer finds of a session whose body has gone: only the exit."""

    def __init__(self, process_id: str, exit: Exit) -> None:
        self.id = process_id
        self._exit = exit

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        return
        yield Chunk("tty", 0, b"")

    async def write(self, data: bytes) -> None:
        raise LostError("the process has ended")

    async def eof(self) -> None:
        """Its input has ended with it."""

    async def resize(self, cols: int, rows: int) -> None:
        """It has no terminal any more."""

    async def signal(self, name: str) -> None:
        """Signals have no effect on what has ended."""

    async def wait(self) -> Exit:
        return self._exit

    async def detach(self) -> None:
        """There is nothing to let go of."""

    async def aclose(self) -> None:
        """There is nothing to end."""
