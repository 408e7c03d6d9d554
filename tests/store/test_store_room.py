"""The reserve of a database file: given back when the disk is nearly full, made again when there is space."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sac_core.contracts.store import Record, Scope, Store
from sac_core.errors import UnavailableError
from sac_core.store import room
from store_kinds import only_sqlite

Make = Callable[..., Record]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Says how many bytes the disk has left."""
    return lambda left: monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=left, f_frsize=1))


@only_sqlite
async def test_with_the_disk_nearly_full_only_what_ends_things_is_written(
    store: Store, scope: Scope, make: Make, path: Path, free: Callable[[int], None]
) -> None:
    reserve = path.with_name("sac.db.reserve")
    async with store.transaction(scope) as unit:
        first, second = await unit.insert(make("a1")), await unit.insert(make("a2"))
    assert reserve.stat().st_blocks * 512 >= room.RESERVE
    free(room.LOW - 1)
    with pytest.raises(UnavailableError) as caught:
        async with store.transaction(scope) as unit:
            await unit.insert(make("a3"))
    assert caught.value.reason == "StorageFull"
    assert "deleting still work" in str(caught.value)
    assert not reserve.exists()
    async with store.transaction(scope) as unit:
        await unit.update(replace(first, status={"phase": "Stopped"}))
        await unit.remove(second)
    free(room.RESERVE)  # the space that was given back is none to go on with
    with pytest.raises(UnavailableError):
        async with store.transaction(scope) as unit:
            await unit.insert(make("a3"))
    free(room.RESERVE + 2 * room.LOW)
    async with store.transaction(scope) as unit:
        await unit.insert(make("a3"))
    assert reserve.exists()
    assert [record.name for record in (await store.read(scope).list("Agent")).items] == ["a1", "a3"]
