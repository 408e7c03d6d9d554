"""Changes: told in the order of commits, kept for a while, waited for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sac_core.contracts.store import Record, Scope, Store
from sac_core.errors import ExpiredError

Make = Callable[..., Record]


async def _insert(store: Store, scope: Scope, *records: Record) -> list[Record]:
    async with store.transaction(scope) as unit:
        return [await unit.insert(record) for record in records]


async def test_pruning_goes_in_batches(store: Store, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sac_core.store.changes._PRUNE_BATCH", 2)
    await _insert(store, scope, *(make(f"a{number}") for number in range(7)))
    await store.prune(keep=1)
    assert [change.version for change in await store.changes(scope, 6)] == [7]
    with pytest.raises(ExpiredError):
        await store.changes(scope, 5)
