"""Which store the settings mean. Whatever it is, one server has a data directory at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sac_core.contracts.store import Store
from sac_core.settings import Settings
from sac_core.store import locked, open_postgres_store, open_sqlite_store

DATABASE_FILE = "sac.db"


@asynccontextmanager
async def open_store(settings: Settings, folder: Path, server_id: str) -> AsyncIterator[Store]:
    """The store of a data directory, or on the database that the settings name.

    There the earlier server of the data directory may still be counted as alive: it is not, the lock says so.
    """
    if settings.database is None:
        async with open_sqlite_store(folder / DATABASE_FILE, server_id=server_id) as store:
            yield store
        return
    with locked(folder / DATABASE_FILE, server_id=server_id) as before:
        async with open_postgres_store(settings.database.get_secret_value()) as store:
            if before:
                await store.leases(before).leave()
            yield store
