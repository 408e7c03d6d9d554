"""A process of an executor without a holder: the server keeps its log, so that it has many readers and a past."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable

import anyio

from sac_core.contracts.process import Process
from sac_core.errors import SacError
from sac_core.models.process import Chunk, Exit

log = logging.getLogger("sac.bodies")

LOG_SIZE = 1024 * 1024
"""Bytes of output that are kept; the oldest go first."""


class KeptProcess(Process):
    """Reads all output of a process into a bounded log, and serves it from any offset that is still there."""

    def __init__(
        self, process: Process, *, on_exit: Callable[[str, Exit], None], on_close: Callable[[str], None]
    ) -> None:
        self.id = process.id
        self.exit: Exit | None = None
        self.end = 0
        self._process = process
        self._log: deque[Chunk] = deque()
        self._kept = 0
        self._news = anyio.Event()
        self._done = anyio.Event()
        self._on_exit = on_exit
        self._on_close = on_close
        self._scope = anyio.CancelScope()

    async def run(self) -> None:
        """Keep the log until the process has ended, or `stop` is called."""
        exit = Exit(reason="Lost")
        with self._scope:
            try:
                async for chunk in self._process.output():
                    self._keep(chunk)
                exit = await self._process.wait()
            except SacError as error:
                log.info("process %s was lost: %s", self.id, error)
            except Exception:  # one process's fault must not take the others with it
                log.exception("a fault while reading process %s", self.id)
        self.exit = exit
        self._done.set()
        self._tell()
        self._on_exit(self.id, exit)

    def stop(self) -> None:
        """Stop keeping the log."""
        self._scope.cancel()

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        at = self.end if since is None else since
        while True:
            news = self._news
            for chunk in [chunk for chunk in self._log if chunk.end > at]:
                skip = max(0, at - chunk.offset)
                at = chunk.end
                yield Chunk(chunk.stream, chunk.offset + skip, chunk.data[skip:])
            if at >= self.end and self._done.is_set():
                return
            if at >= self.end:
                await news.wait()

    async def write(self, data: bytes) -> None:
        await self._process.write(data)

    async def eof(self) -> None:
        await self._process.eof()

    async def resize(self, cols: int, rows: int) -> None:
        await self._process.resize(cols, rows)

    async def signal(self, name: str) -> None:
        await self._process.signal(name)

    async def wait(self) -> Exit:
        await self._done.wait()
        return self.exit or Exit(reason="Lost")

    async def detach(self) -> None:
        """Nothing to let go of: the log goes on."""

    async def aclose(self) -> None:
        self._on_close(self.id)
        await self._process.aclose()

    def _keep(self, chunk: Chunk) -> None:
        self._log.append(chunk)
        self.end = chunk.end
        self._kept += len(chunk.data)
        while self._kept > LOG_SIZE and len(self._log) > 1:
            self._kept -= len(self._log.popleft().data)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, anyio.Event()
        news.set()
