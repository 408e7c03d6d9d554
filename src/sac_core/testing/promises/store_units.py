"""Stores: a unit of work is all or nothing, in one scope, and leaves nothing when it ends early."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from sac_core.contracts.store import EVERYWHERE, Query, Requirement, Store
from sac_core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnavailableError
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stores import MINE, OTHER, StoreBase, insert, make


class Units(StoreBase):
    @promise("units")
    async def test_a_taken_name_leaves_the_unit_usable(self, store: Store) -> None:
        await insert(store, MINE, make("a1"))
        async with store.transaction(MINE) as unit:
            with pytest.raises(ConflictError):
                await unit.insert(replace(make("a1"), uid="another"))
            await unit.insert(make("a2"))
        assert (await store.read(MINE).get("Agent", "a2")).name == "a2"

    @promise("scopes")
    async def test_another_tenants_things_are_not_there(self, store: Store) -> None:
        [mine] = await insert(store, MINE, make("a1", labels={"team": "red"}))
        reader = store.read(OTHER)
        with pytest.raises(NotFoundError):
            await reader.get("Agent", "a1")
        with pytest.raises(NotFoundError):
            await reader.by_uid("Agent", mine.uid)
        assert (await reader.list("Agent")).items == ()
        assert await store.changes(OTHER, 0) == []
        for verb in ("update", "remove"):
            with pytest.raises(NotFoundError):
                async with store.transaction(OTHER) as unit:
                    await getattr(unit, verb)(mine)
        async with store.transaction(OTHER) as unit:
            await unit.defer(mine, mine.created_at)
        with pytest.raises(ForbiddenError):
            await insert(store, OTHER, make("a2"))
        assert await store.read(MINE).get("Agent", "a1") == mine

    @promise("scopes")
    async def test_a_name_in_two_tenants_wants_a_tenant(self, store: Store) -> None:
        await insert(store, EVERYWHERE, make("a1"), make("a1", tenant="other"), make("a2", tenant="other"))
        assert (await store.read(EVERYWHERE).get("Agent", "a2")).tenant == "other"
        with pytest.raises(InvalidError):
            await store.read(EVERYWHERE).get("Agent", "a1")

    @promise("scopes")
    async def test_a_unit_reads_in_another_scope(self, store: Store) -> None:
        await insert(store, MINE, make("a1"))
        async with store.transaction(OTHER) as unit:
            await unit.insert(make("a2", tenant="other"))
            assert (await unit.reading(MINE).get("Agent", "a1")).tenant == "default"
            everywhere = await unit.reading(EVERYWHERE).list("Agent")
            assert [record.name for record in everywhere.items] == ["a1", "a2"]
            for reader, name in ((unit, "a1"), (unit.reading(MINE), "a2")):
                with pytest.raises(NotFoundError):
                    await reader.get("Agent", name)

    @promise("units")
    async def test_a_unit_that_raises_leaves_nothing(self, store: Store) -> None:
        async def fail() -> None:
            async with store.transaction(MINE) as unit:
                await unit.insert(make("a1", labels={"team": "red"}))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        assert (await store.read(MINE).list("Agent")).items == ()
        assert await store.changes(MINE, 0) == []
        assert await store.version() == 0

    @promise("units")
    async def test_readers_do_not_wait_and_do_not_see_what_is_not_committed(self, store: Store) -> None:
        async with store.transaction(MINE) as unit:
            await unit.insert(make("a1"))
            with anyio.fail_after(2):
                assert (await store.read(MINE).list("Agent")).items == ()
        assert len((await store.read(MINE).list("Agent")).items) == 1

    @promise("units")
    async def test_a_closed_store_says_so(self, place: Path, clock: SimulatedClock) -> None:
        async with self.open_store(place, clock.now) as store:
            reader = store.read(MINE)
        with pytest.raises(UnavailableError):
            await reader.get("Agent", "a1")
        with pytest.raises(UnavailableError):
            async with store.transaction(MINE):
                pass

    @promise("units")
    async def test_a_unit_sees_its_own_writes(self, store: Store) -> None:
        async with store.transaction(MINE) as unit:
            first = await unit.insert(make("a1", labels={"team": "red"}))
            assert await unit.by_uid("Agent", first.uid) == first
            page = await unit.list("Agent", Query(labels=(Requirement("team", "=", ("red",)),)))
            assert (page.items, page.version) == ((first,), 1)
            second = await unit.update(replace(first, status={"phase": "Running"}))
            assert (second.resource_version, await unit.get("Agent", "a1")) == (2, second)

    @promise("units")
    async def test_a_unit_that_is_cancelled_leaves_nothing(self, store: Store) -> None:
        with anyio.CancelScope() as cancellation:
            async with store.transaction(MINE) as unit:
                await unit.insert(make("a1"))
                cancellation.cancel()
                await anyio.lowlevel.checkpoint()
        with anyio.fail_after(2):
            await insert(store, MINE, make("a2"))
        assert [record.name for record in (await store.read(MINE).list("Agent")).items] == ["a2"]

    @promise("units")
    async def test_who_is_cancelled_while_it_waits_for_its_turn_leaves_nothing(self, store: Store) -> None:
        async with store.transaction(MINE) as unit:
            waiting = [asyncio.ensure_future(insert(store, MINE, make(f"w{number}"))) for number in range(3)]
            await anyio.wait_all_tasks_blocked()
            waiting[0].cancel()
            waiting[1].cancel()
            await unit.insert(make("a1"))
        with anyio.fail_after(2):
            await asyncio.wait(waiting)
        assert [task.cancelled() for task in waiting] == [True, True, False]
        assert [record.name for record in (await store.read(MINE).list("Agent")).items] == ["a1", "w2"]
