"""Writes the chunks of all sessions that are recorded, those of the same moment in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from sac_core.contracts.background import background
from sac_core.contracts.chunks import Chunks, StoredChunk
from sac_core.errors import ConflictError, SacError, UnavailableError

LINGER = 0.25
"""Seconds that a chunk waits for others, so that many terminals in which people type are few transactions."""

_TRANSACTION = 4 * 1024 * 1024


@dataclass(slots=True, eq=False)
class _Waiting:
    chunk: StoredChunk
    done: asyncio.Future[bool]


@dataclass(slots=True)
class ChunkWriter:
    """At most one chunk waits for each seat."""

    chunks: Chunks
    _waiting: list[_Waiting] = field(default_factory=list)
    _wanted: anyio.Event = field(default_factory=anyio.Event)
    _urgent: anyio.Event = field(default_factory=anyio.Event)

    async def add(self, chunk: StoredChunk, *, urgent: bool) -> bool:
        """Keep a chunk; False when another one has its number. Raises `UnavailableError` when it cannot be kept."""
        waiting = _Waiting(chunk, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._wanted.set()
        if urgent:
            self._urgent.set()
        try:
            return await waiting.done
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    async def run(self) -> None:
        """Write what waits, again and again."""
        while True:
            await self._wanted.wait()
            with anyio.move_on_after(LINGER):
                await self._urgent.wait()
            self._wanted, self._urgent = anyio.Event(), anyio.Event()
            while batch := self._batch():
                await self._write(batch)

    def _batch(self) -> list[_Waiting]:
        batch, size = [], 0
        while self._waiting and size < _TRANSACTION:
            batch.append(self._waiting.pop(0))
            size += len(batch[-1].chunk.data)
        return batch

    async def _write(self, batch: list[_Waiting]) -> None:
        try:
            taken = await self.chunks.add([waiting.chunk for waiting in batch])
        except ConflictError:  # another server was there between our look and our write
            await self._write_each(batch)
        except SacError as error:
            _fail(batch, error)
        except Exception as error:  # a fault of one write must not end all recordings
            _fail(batch, UnavailableError(f"the chunk could not be kept: {type(error).__name__}"))
        else:
            for waiting in batch:
                _tell(waiting, waiting.chunk.recording not in taken)

    async def _write_each(self, batch: list[_Waiting]) -> None:
        for waiting in batch:
            try:
                taken = await self.chunks.add([waiting.chunk])
                _tell(waiting, not taken)
            except ConflictError:
                _tell(waiting, False)
            except SacError as error:
                _fail([waiting], error)


def _tell(waiting: _Waiting, kept: bool) -> None:
    if not waiting.done.done():
        waiting.done.set_result(kept)


def _fail(batch: list[_Waiting], error: SacError) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(error)


@asynccontextmanager
async def open_chunk_writer(chunks: Chunks) -> AsyncIterator[ChunkWriter]:
    """A writer that writes until the context is left."""
    async with background() as group:
        writer = ChunkWriter(chunks)
        group.start_soon(writer.run)
        yield writer
