"""The chunks of recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, delete, insert, select

from sac_core.contracts.chunks import Chunks, StoredChunk
from sac_core.store.connection import Run, Transaction, Writer
from sac_core.store.tables import recording_chunks as table

_COLUMNS = (
    table.c.recording,
    table.c.number,
    table.c.offset,
    table.c.missed,
    table.c.micros,
    table.c.last,
    table.c.digest,
    table.c.data,
)
_OF = table.c.recording == bindparam("this_recording")
_NEWEST = select(*_COLUMNS).where(_OF).order_by(table.c.number.desc()).limit(1)
_AFTER = select(*_COLUMNS).where(_OF, table.c.number > bindparam("after")).order_by(table.c.number)
_TAKEN = select(table.c.number).where(_OF, table.c.number == bindparam("this_number"))
_REMOVE = delete(table).where(_OF)


class SqlChunks(Chunks):
    """In the database, so that every server reaches them."""

    def __init__(self, run: Run, writer: Writer) -> None:
        self._run = run
        self._writer = writer

    async def add(self, chunks: Sequence[StoredChunk]) -> frozenset[str]:
        by_recording: dict[str, list[StoredChunk]] = defaultdict(list)
        for chunk in chunks:
            by_recording[chunk.recording].append(chunk)
        taken: set[str] = set()
        async with self._writer.transaction() as transaction:
            self._writer.room.check()
            for recording, its in by_recording.items():
                if await _taken(transaction, recording, its[0].number):
                    taken.add(recording)
            rows = [asdict(chunk) for chunk in chunks if chunk.recording not in taken]
            if rows:
                await transaction.run(insert(table), rows)
        return frozenset(taken)

    async def newest(self, recording: str) -> StoredChunk | None:
        rows = await self._run(_NEWEST, {"this_recording": recording})
        return _chunk(rows[0]) if rows else None

    async def after(self, recording: str, number: int, *, limit: int) -> list[StoredChunk]:
        rows = await self._run(_AFTER.limit(limit), {"this_recording": recording, "after": number})
        return [_chunk(row) for row in rows]

    async def remove(self, recording: str) -> None:
        async with self._writer.transaction() as transaction:
            await transaction.run(_REMOVE, {"this_recording": recording})


async def _taken(transaction: Transaction, recording: str, number: int) -> bool:
    return bool(await transaction.run(_TAKEN, {"this_recording": recording, "this_number": number}))


def _chunk(row: Any) -> StoredChunk:
    return StoredChunk(*row)
