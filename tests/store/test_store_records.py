"""Declared things: written by compare-and-set, seen in one scope, all or nothing."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from sac_core.contracts.store import Record, Scope, Store
from sac_core.models.principal import LOCAL
from store_kinds import only_sqlite

Make = Callable[..., Record]
OTHER = Scope(LOCAL, "other")


async def _insert(store: Store, scope: Scope, *records: Record) -> list[Record]:
    async with store.transaction(scope) as unit:
        return [await unit.insert(record) for record in records]


@only_sqlite
async def test_the_files_are_private(store: Store, scope: Scope, make: Make, path: Path) -> None:
    await _insert(store, scope, make("a1"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("sac.db", "sac.db-wal", "sac.db-shm", "sac.db.lock"), 0o600)
