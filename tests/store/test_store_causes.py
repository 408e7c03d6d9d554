"""Timelines are written with what they explain, read in one scope, found after the agent has gone, and forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sac_core.contracts.causes import About
from sac_core.contracts.store import Record, Scope, Store
from sac_core.errors import ConflictError, NotFoundError
from sac_core.models.cause import Cause
from sac_core.models.principal import LOCAL

Make = Callable[..., Record]
A1 = About("default", "a1", "uid-1")


def cause(seq: int, clock: Callable[[], object], **more: object) -> Cause:
    given = {"seq": seq, "kind": "request", "actor": "user:local", "text": f"cause {seq}", "at": clock()}
    return Cause.model_validate({**given, "last_at": clock(), **more})


async def add(store: Store, scope: Scope, about: About, *causes: Cause, key: str = "request/create") -> None:
    async with store.transaction(scope) as unit:
        for each in causes:
            await unit.causes.add(about, key, each)


async def test_a_cause_comes_back_whole(store: Store, scope: Scope, clock: Callable[[], object]) -> None:
    first = cause(1, clock, details={"verb": "create"})
    second = cause(2, clock, because=1)
    await add(store, scope, A1, first, second)
    found = await store.causes(scope).timeline("a1")
    assert (found.agent, found.namespace, found.uid) == ("a1", "default", "uid-1")
    assert found.items == (first, second)


async def test_nothing_is_told_of_a_change_that_was_not_made(
    store: Store, scope: Scope, make: Make, clock: Callable[[], object]
) -> None:
    async with store.transaction(scope) as unit:
        await unit.insert(make("a1"))
    with pytest.raises(ConflictError):
        await _insert_again(store, scope, make("a1"), cause(1, clock))
    with pytest.raises(NotFoundError):
        await store.causes(scope).timeline("a1")


async def _insert_again(store: Store, scope: Scope, record: Record, told: Cause) -> None:
    async with store.transaction(scope) as unit:
        await unit.causes.add(A1, "request/create", told)
        await unit.insert(record)


async def test_what_happens_again_moves_to_the_end(store: Store, scope: Scope, clock: Callable[[], object]) -> None:
    await add(store, scope, A1, cause(1, clock), cause(2, clock))
    clock.advance(5)  # type: ignore[attr-defined]
    async with store.transaction(scope) as unit:
        again = cause(1, clock, count=3, text="again")
        await unit.causes.recount("uid-1", again)
        assert [(known.seq, known.times) for known in await unit.causes.known("uid-1")] == [(2, 1), (1, 3)]
    last = (await store.causes(scope).timeline("a1")).items[-1]
    assert (last.seq, last.count, last.text) == (1, 3, "again")
    assert last.at < last.last_at


async def test_a_name_means_the_newest_agent_of_it_and_a_uid_exactly_one(
    store: Store, scope: Scope, clock: Callable[[], object]
) -> None:
    await add(store, scope, A1, cause(1, clock))
    clock.advance(1)  # type: ignore[attr-defined]
    await add(store, scope, About("default", "a1", "uid-2"), cause(1, clock))
    reader = store.causes(scope)
    assert (await reader.timeline("a1")).uid == "uid-2"
    assert (await reader.timeline("uid-1")).uid == "uid-1"


async def test_another_tenants_timeline_is_not_found(store: Store, scope: Scope, clock: Callable[[], object]) -> None:
    await add(store, scope, A1, cause(1, clock))
    other = store.causes(Scope(LOCAL, "other"))
    for name in ("a1", "uid-1"):
        with pytest.raises(NotFoundError):
            await other.timeline(name)
    assert await other.newest_key("uid-1", "request/") is None


async def test_the_newest_key_is_that_of_its_kind(store: Store, scope: Scope, clock: Callable[[], object]) -> None:
    await add(store, scope, A1, cause(1, clock), key="backend/running")
    clock.advance(1)  # type: ignore[attr-defined]
    await add(store, scope, A1, cause(2, clock), key="request/stop")
    reader = store.causes(scope)
    assert await reader.newest_key("uid-1", "backend/") == "backend/running"
    assert await reader.newest_key("uid-1", "back%") is None


async def test_what_is_old_is_forgotten(store: Store, scope: Scope, clock: Callable[[], object]) -> None:
    await add(store, scope, A1, cause(1, clock))
    clock.advance(100)  # type: ignore[attr-defined]
    await add(store, scope, A1, cause(2, clock))
    await store.prune(keep=10, causes_since=clock.now - timedelta(seconds=50))  # type: ignore[attr-defined]
    assert [item.seq for item in (await store.causes(scope).timeline("a1")).items] == [2]


async def test_single_causes_are_forgotten(store: Store, scope: Scope, clock: Callable[[], object]) -> None:
    await add(store, scope, A1, *(cause(seq, clock) for seq in (1, 2, 3)))
    async with store.transaction(scope) as unit:
        await unit.causes.hold()
        await unit.causes.forget("uid-1", [1, 2])
    assert [item.seq for item in (await store.causes(scope).timeline("a1")).items] == [3]
