"""Stores: timelines are written with what they explain, and read in one scope."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sac_core.contracts.causes import About
from sac_core.contracts.store import Scope, Store
from sac_core.errors import ConflictError, NotFoundError
from sac_core.models.cause import Cause
from sac_core.models.principal import LOCAL
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stores import MINE, StoreBase, make

A1 = About("default", "a1", "uid-1")


def cause(seq: int, clock: SimulatedClock, **more: object) -> Cause:
    """A cause of that number, told now."""
    given = {"seq": seq, "kind": "request", "actor": "user:local", "text": f"cause {seq}", "at": clock.now()}
    return Cause.model_validate({**given, "last_at": clock.now(), **more})


async def add(store: Store, about: About, *causes: Cause, key: str = "request/create") -> None:
    """Tell them in one unit."""
    async with store.transaction(MINE) as unit:
        for each in causes:
            await unit.causes.add(about, key, each)


async def half_told(store: Store, told: Cause) -> None:
    """A unit that tells a cause, and then cannot do what it is told for."""
    async with store.transaction(MINE) as unit:
        await unit.causes.add(A1, "request/create", told)
        await unit.insert(make("a1"))


class Timelines(StoreBase):
    @promise("timelines")
    async def test_a_cause_comes_back_whole(self, store: Store, clock: SimulatedClock) -> None:
        first = cause(1, clock, details={"verb": "create"})
        second = cause(2, clock, because=1)
        await add(store, A1, first, second)
        found = await store.causes(MINE).timeline("a1")
        assert (found.agent, found.namespace, found.uid) == ("a1", "default", "uid-1")
        assert found.items == (first, second)

    @promise("timelines")
    async def test_nothing_is_told_of_a_change_that_was_not_made(self, store: Store, clock: SimulatedClock) -> None:
        async with store.transaction(MINE) as unit:
            await unit.insert(make("a1"))
        with pytest.raises(ConflictError):
            await half_told(store, cause(1, clock))
        with pytest.raises(NotFoundError):
            await store.causes(MINE).timeline("a1")

    @promise("timelines")
    async def test_what_happens_again_moves_to_the_end(self, store: Store, clock: SimulatedClock) -> None:
        await add(store, A1, cause(1, clock), cause(2, clock))
        clock.advance(5)
        async with store.transaction(MINE) as unit:
            again = cause(1, clock, count=3, text="again")
            await unit.causes.recount("uid-1", again)
            assert [(known.seq, known.times) for known in await unit.causes.known("uid-1")] == [(2, 1), (1, 3)]
        last = (await store.causes(MINE).timeline("a1")).items[-1]
        assert (last.seq, last.count, last.text) == (1, 3, "again")
        assert last.at < last.last_at

    @promise("timelines")
    async def test_a_name_means_the_newest_agent_of_it_and_a_uid_exactly_one(
        self, store: Store, clock: SimulatedClock
    ) -> None:
        await add(store, A1, cause(1, clock))
        clock.advance(1)
        await add(store, About("default", "a1", "uid-2"), cause(1, clock))
        reader = store.causes(MINE)
        assert (await reader.timeline("a1")).uid == "uid-2"
        assert (await reader.timeline("uid-1")).uid == "uid-1"

    @promise("timelines")
    async def test_another_tenants_timeline_is_not_found(self, store: Store, clock: SimulatedClock) -> None:
        await add(store, A1, cause(1, clock))
        other = store.causes(Scope(LOCAL, "other"))
        for name in ("a1", "uid-1"):
            with pytest.raises(NotFoundError):
                await other.timeline(name)
        assert await other.newest_key("uid-1", "request/") is None

    @promise("timelines")
    async def test_the_newest_key_is_that_of_its_kind(self, store: Store, clock: SimulatedClock) -> None:
        await add(store, A1, cause(1, clock), key="backend/running")
        clock.advance(1)
        await add(store, A1, cause(2, clock), key="request/stop")
        reader = store.causes(MINE)
        assert await reader.newest_key("uid-1", "backend/") == "backend/running"
        assert await reader.newest_key("uid-1", "back%") is None

    @promise("timelines")
    async def test_what_is_old_is_forgotten(self, store: Store, clock: SimulatedClock) -> None:
        await add(store, A1, cause(1, clock))
        clock.advance(100)
        await add(store, A1, cause(2, clock))
        await store.prune(keep=10, causes_since=clock.now() - timedelta(seconds=50))
        assert [item.seq for item in (await store.causes(MINE).timeline("a1")).items] == [2]

    @promise("timelines")
    async def test_single_causes_are_forgotten(self, store: Store, clock: SimulatedClock) -> None:
        await add(store, A1, *(cause(seq, clock) for seq in (1, 2, 3)))
        async with store.transaction(MINE) as unit:
            await unit.causes.hold()
            await unit.causes.forget("uid-1", [1, 2])
        assert [item.seq for item in (await store.causes(MINE).timeline("a1")).items] == [3]
