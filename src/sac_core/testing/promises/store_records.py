"""Stores: records come back as they were written, names and versions are held to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sac_core.contracts.store import EVERYWHERE, Query, Store
from sac_core.errors import ConflictError, InvalidError, NotFoundError
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stores import MINE, StoreBase, insert, make


class Records(StoreBase):
    @promise("records")
    async def test_every_field_comes_back(self, store: Store, clock: SimulatedClock) -> None:
        given = make(
            "a1",
            spec={"deep": [1, {"ü": None}]},
            labels={"team": "red"},
            meta={"annotations": {"a": "b"}},
            generation=3,
            deleted_at=clock.now(),
            launch={"hash": "x"},
            deadline=clock.now() + timedelta(microseconds=1),
            owner_server="server-1",
            fence=7,
        )
        [record] = await insert(store, MINE, given)
        assert record == replace(given, resource_version=1, created_at=clock.now())
        assert await store.read(MINE).get("Agent", "a1") == record
        assert await store.read(MINE).by_uid("Agent", given.uid) == record

    @promise("restart")
    async def test_what_is_written_survives_a_restart(self, place: Path, clock: SimulatedClock) -> None:
        async with self.open_store(place, clock.now) as store:
            [record] = await insert(store, MINE, make("a1"))
            identity = store.installation
        async with self.open_store(place, clock.now) as store:
            assert await store.read(MINE).get("Agent", "a1") == record
            assert await store.version() == 1
            assert store.installation == identity
        assert identity, "a store has no installation's id"

    @promise("identity")
    async def test_a_name_is_taken_once_per_tenant_and_kind(self, store: Store) -> None:
        await insert(store, EVERYWHERE, make("a1"), make("a1", kind="Session"), make("a1", tenant="other"))
        with pytest.raises(ConflictError) as caught:
            await insert(store, MINE, replace(make("a1"), uid="another"))
        assert caught.value.reason == "AlreadyExists"
        assert "Agent 'a1'" in caught.value.message

    @promise("identity")
    async def test_a_uid_is_taken_for_ever(self, store: Store) -> None:
        await insert(store, MINE, make("a1"))
        with pytest.raises(ConflictError) as caught:
            await insert(store, MINE, replace(make("a2"), uid=make("a1").uid))
        assert caught.value.field == "metadata.uid"

    @promise("records")
    async def test_update_writes_all_but_identity(self, store: Store, clock: SimulatedClock) -> None:
        [first] = await insert(store, MINE, make("a1", labels={"team": "red", "tier": "1"}))
        clock.advance(60)
        wanted = replace(
            first,
            status={"phase": "Running"},
            spec={"runtime": "agno"},
            labels={"team": "blue"},
            generation=2,
            created_at=clock.now(),
            deadline=clock.now(),
        )
        async with store.transaction(MINE) as unit:
            second = await unit.update(wanted)
            assert await unit.get("Agent", "a1") == second
        assert second == replace(wanted, resource_version=2, created_at=first.created_at)
        assert await store.read(MINE).get("Agent", "a1") == second

    @promise("versions")
    async def test_a_stale_update_names_the_current_version(self, store: Store) -> None:
        [first] = await insert(store, MINE, make("a1"))
        async with store.transaction(MINE) as unit:
            await unit.update(replace(first, status={"phase": "Running"}))
        for verb in ("update", "remove"):
            with pytest.raises(ConflictError) as caught:
                async with store.transaction(MINE) as unit:
                    await getattr(unit, verb)(first)
            assert caught.value.current == "2"
            assert caught.value.hint
        assert (await store.read(MINE).get("Agent", "a1")).status == {"phase": "Running"}

    @promise("identity")
    async def test_a_name_never_changes(self, store: Store) -> None:
        [first] = await insert(store, MINE, make("a1"))
        with pytest.raises(InvalidError):
            async with store.transaction(MINE) as unit:
                await unit.update(replace(first, name="a2"))

    @promise("records")
    async def test_defer_is_no_change(self, store: Store, clock: SimulatedClock) -> None:
        [first, gone] = await insert(store, MINE, make("a1"), make("a2"))
        later = clock.now() + timedelta(seconds=5)
        async with store.transaction(MINE) as unit:
            await unit.remove(gone)
        async with store.transaction(MINE) as unit:
            await unit.defer(first, later)
            await unit.defer(gone, later)
        assert await store.read(MINE).get("Agent", "a1") == replace(first, deadline=later)
        assert await store.version() == 3
        due = await store.read(MINE).list("Agent", Query(due_before=later))
        assert [record.name for record in due.items] == ["a1"]
        assert not (await store.read(MINE).list("Agent", Query(due_before=clock.now()))).items

    @promise("identity")
    async def test_removed_is_gone_and_its_name_is_free(self, store: Store) -> None:
        [first] = await insert(store, MINE, make("a1", labels={"team": "red"}))
        async with store.transaction(MINE) as unit:
            await unit.remove(first)
        with pytest.raises(NotFoundError):
            await store.read(MINE).get("Agent", "a1")
        with pytest.raises(NotFoundError):
            async with store.transaction(MINE) as unit:
                await unit.remove(first)
        await insert(store, MINE, make("a1", labels={"team": "red"}))

    @promise("records")
    async def test_text_that_is_not_unicode_is_refused(self, store: Store) -> None:
        with pytest.raises(InvalidError):
            await store.read(MINE).get("Agent", "\udcff")

    @promise("records")
    async def test_numbers_that_json_lacks_are_refused(self, store: Store) -> None:
        with pytest.raises(InvalidError):
            await insert(store, MINE, make("a1", spec={"x": float("nan")}))
