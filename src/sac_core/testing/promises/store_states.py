"""Stores: the small durable state of plugins."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from sac_core.contracts.context import Entry
from sac_core.contracts.store import Store
from sac_core.errors import ConflictError
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stores import StoreBase


class States(StoreBase):
    @promise("state")
    async def test_put_get_delete(self, store: Store) -> None:
        state = store.state("acme")
        assert await state.get("k") is None
        entry = await state.put("k", {"a": [1, "ü"]})
        assert entry.value == {"a": [1, "ü"]}
        assert await state.get("k") == entry
        await state.delete("k")
        await state.delete("k")
        assert await state.get("k") is None

    @promise("state")
    async def test_plugins_do_not_meet(self, store: Store) -> None:
        await store.state("acme").put("k", {"a": 1})
        assert await store.state("sac").get("k") is None
        assert await store.state("sac").take("k") is None
        assert await store.state("acme").get("k") is not None

    @promise("state")
    async def test_compare_and_set(self, store: Store) -> None:
        state = store.state("acme")
        first = await state.put("k", {"a": 1}, expected=0)
        with pytest.raises(ConflictError) as caught:
            await state.put("k", {"a": 2}, expected=0)
        assert caught.value.current == str(first.version)
        second = await state.put("k", {"a": 2}, expected=first.version)
        with pytest.raises(ConflictError):
            await state.put("k", {"a": 3}, expected=first.version)
        assert await state.get("k") == second

    @promise("state")
    async def test_an_old_version_never_comes_back(self, store: Store) -> None:
        state = store.state("acme")
        first = await state.put("k", {"a": 1})
        await state.delete("k")
        await state.put("k", {"a": 2})
        with pytest.raises(ConflictError):
            await state.put("k", {"a": 3}, expected=first.version)

    @promise("state")
    async def test_expiry(self, store: Store, clock: SimulatedClock) -> None:
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

    @promise("state")
    async def test_of_many_that_take_one_gets_it(self, store: Store) -> None:
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

    @promise("state")
    async def test_state_is_durable_and_no_change(self, place: Path, clock: SimulatedClock) -> None:
        async with self.open_store(place, clock.now) as store:
            entry = await store.state("acme").put("k", {"a": 1})
        async with self.open_store(place, clock.now) as store:
            assert await store.state("acme").get("k") == entry
            assert await store.version() == 0
