"""A store behind a wrapper that passes everything on, to be broken in one place, and the suite of stores on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sac_core.contracts.store import Scope, Store
from sac_core.store import open_sqlite_store
from sac_core.testing.store_suite import StoreContract


class Through:
    """Passes everything on."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class WrappedStore(Through):
    """A store whose readers and units, data keys, chunks and timelines can be broken."""

    reader: type[Through] = Through
    unit: type[Through] = Through
    cause_reader: type[Through] = Through
    keys: type[Through] = Through
    kept_chunks: type[Through] = Through

    def read(self, scope: Scope) -> Any:
        return self.reader(self.inner.read(scope))

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Any]:
        async with self.inner.transaction(scope) as unit:
            yield self.unit(unit)

    def causes(self, scope: Scope) -> Any:
        return self.cause_reader(self.inner.causes(scope))

    def data_keys(self) -> Any:
        return self.keys(self.inner.data_keys())

    def chunks(self) -> Any:
        return self.kept_chunks(self.inner.chunks())


class BrokenContract(StoreContract):
    """The suite on one of them: subclasses say which."""

    broken: type[WrappedStore] = WrappedStore

    def open_store(self, place: Path, now: Callable[[], datetime]) -> AbstractAsyncContextManager[Store]:
        return self._open(place, now)

    @asynccontextmanager
    async def _open(self, place: Path, now: Callable[[], datetime]) -> AsyncIterator[Store]:
        async with open_sqlite_store(self.file(place), server_id="server-1", clock=now) as store:
            yield cast(Store, self.broken(store))

    def file(self, place: Path) -> Path:
        """Where the database is."""
        return place / "sac.db"
