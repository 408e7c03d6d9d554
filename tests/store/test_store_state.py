"""The small durable state of plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from sac_core.contracts.context import Entry
from sac_core.contracts.store import Store
from sac_core.errors import ConflictError
from sac_core.store import open_sqlite_store


async def test_put_get_delete(store: Store) -> None:
    state = store.state("acme")
    assert await state.get("k") is None
    entry = await state.put("k", {"a": [1, "ü"]})
    assert entry.value == {"a": [1, "ü"]}
    assert await state.get("k") == entry
    await state.delete("k")
    await state.delete("k")
    assert await state.get("k") is None


async def test_plugins_do_not_meet(store: Store) -> None:
    await store.state("acme").put("k", {"a": 1})
    assert await store.state("sac").get("k") is None
    assert await store.state("sac").take("k") is None
    assert await store.state("acme").get("k") is not None


async def test_compare_and_set(store: Store) -> None:
    state = store.state("acme")
    first = await state.put("k", {"a": 1}, expected=0)
    with pytest.raises(ConflictError) as caught:
        await state.put("k", {"a": 2}, expected=0)
    assert caught.value.current == str(first.version)
    second = await state.put("k", {"a": 2}, expected=first.version)
    with pytest.raises(ConflictError):
        await state.put("k", {"a": 3}, expected=first.version)
    assert await state.get("k") == second


async def test_an_old_version_never_comes_back(store: Store) -> None:
    state = store.state("acme")
    first = await state.put("k", {"a": 1})
    await state.delete("k")
    await state.put("k", {"a": 2})
    with pytest.raises(ConflictError):
        await state.put("k", {"a": 3}, expected=first.version)


async def test_expiry(store: Store, clock: Any) -> None:
    state = store.state("acme")
    await state.put("k", {"a": 1}, ttl=10)
    await state.put("kept", {"a": 1})
    clock.advance(9.9)
    assert await state.get("k") is not None
    clock.advance(0.1)
    assert await state.get("k") is None
    assert await state.take("k") is None
    await state.put("k", {"a": 1}, ttl=10)
    clock.advance(10)
    assert (await state.put("k", {"a": 2}, expected=0)).value == {"a": 2}
    clock.advance(1e6)
    await store.prune(keep=10)
    assert await state.get("kept") is not None


async def test_of_many_that_take_one_gets_it(store: Store) -> None:
    state = store.state("acme")
    entry = await state.put("code", {"user": "local"})
    taken: list[Entry | None] = []

    async def take() -> None:
        taken.append(await state.take("code"))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(take)
    assert [got for got in taken if got is not None] == [entry]
    assert len(taken) == 20


async def test_state_is_durable_and_no_change(path: Path) -> None:
    async with open_sqlite_store(path, server_id="server-1") as store:
        entry = await store.state("acme").put("k", {"a": 1})
    async with open_sqlite_store(path, server_id="server-1") as store:
        assert await store.state("acme").get("k") == entry
        assert await store.version() == 0
