"""The store on SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import select

from sac_core.contracts.causes import CauseReader
from sac_core.contracts.chunks import Chunks
from sac_core.contracts.context import State
from sac_core.contracts.leases import Leases
from sac_core.contracts.sealing import DataKeys
from sac_core.contracts.store import Reader, Record, Scope, Store, Unit
from sac_core.models.body import Finding
from sac_core.models.change import Change
from sac_core.store.causes import SqlCauses, prune_causes
from sac_core.store.changes import changes_after, prune_changes
from sac_core.store.checks import revision_finding
from sac_core.store.chunks import SqlChunks
from sac_core.store.connection import Readings, Run, Writer
from sac_core.store.data_keys import SqlDataKeys
from sac_core.store.leases import SqlLeases
from sac_core.store.news import News
from sac_core.store.reader import SqlReader
from sac_core.store.state import SqlState, prune_state
from sac_core.store.tables import counter
from sac_core.store.unit import SqlUnit

Notify = Callable[[Run, int], Awaitable[None]]
"""Tells other servers, in a transaction, of the version that it will have committed."""


async def _nobody(run: Run, version: int) -> None:
    """There is no other server."""


class SqlStore(Store):
    """Remembers in SQL. ``news`` knows the newest committed version; no ``notify``: there is no other server."""

    def __init__(
        self,
        readings: Readings,
        writer: Writer,
        *,
        installation: str,
        news: News,
        clock: Callable[[], datetime],
        notify: Notify | None = None,
    ) -> None:
        self._readings = readings
        self._writer = writer
        self._installation = installation
        self._news = news
        self._notify = notify or _nobody
        self._alone = notify is None
        self._clock = clock

    def read(self, scope: Scope) -> Reader:
        return SqlReader(self._readings.run, scope)

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Unit]:
        async with self._writer.transaction() as transaction:
            unit = SqlUnit(transaction.run, scope, self._clock, self._writer.room)
            unit.causes = SqlCauses(transaction.run, scope)
            transaction.after_commit(lambda: self._news.tell(unit.written))
            yield unit
            if unit.written:
                await self._notify(transaction.run, unit.written)

    async def version(self) -> int:
        version: int = (await self._readings.run(select(counter.c.rv)))[0][0]
        return version

    async def changes(
        self, scope: Scope, since: int, *, kinds: Sequence[str] = (), limit: int = 500
    ) -> list[Change[Record]]:
        return await changes_after(self._readings.run, scope, since, kinds=kinds, limit=limit)

    async def wait_changed(self, since: int, timeout: float) -> int:
        return await self._news.wait(since, timeout)

    def state(self, plugin: str) -> State:
        return SqlState(plugin, self._readings.run, self._writer, self._clock)

    def chunks(self) -> Chunks:
        return SqlChunks(self._readings.run, self._writer)

    def leases(self, server: str) -> Leases:
        return SqlLeases(server, self._readings.run, self._writer, alone=self._alone)

    def data_keys(self) -> DataKeys:
        return SqlDataKeys(self._readings.run, self._writer)

    def causes(self, scope: Scope) -> CauseReader:
        return SqlCauses(self._readings.run, scope)

    async def prune(self, *, keep: int, causes_since: datetime | None = None) -> None:
        await prune_changes(self._writer, keep=keep)
        if causes_since is not None:
            await prune_causes(self._writer, causes_since)
        await prune_state(self._writer, self._clock())

    async def findings(self) -> tuple[Finding, ...]:
        return (await revision_finding(self._readings.run),)

    @property
    def installation(self) -> str:
        return self._installation
