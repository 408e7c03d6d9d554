"""Stores: committed changes are told in order, kept for a while, waited for."""

from __future__ import annotations

import time
from dataclasses import replace

import anyio
import pytest

from sac_core.contracts.store import EVERYWHERE, Store
from sac_core.errors import ExpiredError
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stores import MINE, StoreBase, insert, make


class Feed(StoreBase):
    @promise("changes")
    async def test_each_write_is_told_once_in_order(self, store: Store) -> None:
        [first] = await insert(store, MINE, make("a1", labels={"team": "red"}, launch={"hash": "x"}))
        async with store.transaction(MINE) as unit:
            second = await unit.update(replace(first, status={"phase": "Running"}))
            await unit.remove(second)
        told = await store.changes(MINE, 0)
        assert [(change.verb, change.version) for change in told] == [("ADDED", 1), ("MODIFIED", 2), ("DELETED", 3)]
        assert [change.object for change in told] == [first, second, replace(second, resource_version=3)]
        assert await store.changes(MINE, 2) == told[2:]
        assert await store.changes(MINE, 3) == []

    @promise("changes")
    async def test_a_limit_gives_the_oldest(self, store: Store) -> None:
        await insert(store, MINE, *(make(f"a{number}") for number in range(5)))
        assert [change.version for change in await store.changes(MINE, 1, limit=2)] == [2, 3]

    @promise("changes")
    async def test_kinds_and_tenants_are_kept_apart(self, store: Store) -> None:
        await insert(store, EVERYWHERE, make("a1"), make("a1", tenant="other"), make("s1", kind="Session"))
        assert [change.version for change in await store.changes(MINE, 0)] == [1, 3]
        assert [change.version for change in await store.changes(MINE, 0, kinds=["Session"])] == [3]
        assert [change.version for change in await store.changes(EVERYWHERE, 0, kinds=["Agent", "Session"])] == [
            1,
            2,
            3,
        ]

    @promise("changes")
    async def test_what_was_forgotten_is_expired(self, store: Store) -> None:
        await insert(store, MINE, *(make(f"a{number}") for number in range(5)))
        await store.prune(keep=2)
        assert [change.version for change in await store.changes(MINE, 3)] == [4, 5]
        with pytest.raises(ExpiredError):
            await store.changes(MINE, 2)
        await store.prune(keep=2)
        assert len(await store.changes(MINE, 3)) == 2
        await store.prune(keep=0)
        assert await store.changes(MINE, 5) == []
        with pytest.raises(ExpiredError):
            await store.changes(MINE, 4)

    @promise("changes")
    async def test_a_version_of_the_future_is_expired(self, store: Store) -> None:
        await insert(store, MINE, make("a1"))
        with pytest.raises(ExpiredError):
            await store.changes(MINE, 2)

    @promise("changes")
    async def test_waiting_ends_with_the_commit(self, store: Store) -> None:
        seen: list[int] = []

        async def wait() -> None:
            seen.append(await store.wait_changed(0, 30))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                tasks.start_soon(wait)
                async with store.transaction(MINE) as unit:
                    await unit.insert(make("a1"))
                    await anyio.wait_all_tasks_blocked()
                    assert seen == []
        assert seen == [1, 1]

    @promise("changes")
    async def test_waiting_ends_at_once_or_after_its_time(self, store: Store) -> None:
        await insert(store, MINE, make("a1"))
        assert await store.wait_changed(0, 30) == 1
        began = time.monotonic()
        assert await store.wait_changed(1, 0.05) == 1
        assert time.monotonic() - began >= 0.05

    @promise("changes")
    async def test_following_while_many_write_misses_nothing(self, store: Store) -> None:
        told: list[int] = []

        async def follow() -> None:
            while len(told) < 60:
                await store.wait_changed(told[-1] if told else 0, 5)
                told.extend(change.version for change in await store.changes(MINE, told[-1] if told else 0))

        async def write(writer: int) -> None:
            for number in range(20):
                await insert(store, MINE, make(f"a{writer}-{number}"))

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                for writer in range(3):
                    tasks.start_soon(write, writer)
        assert told == list(range(1, 61))
