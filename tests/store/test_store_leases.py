"""Leases: who is alive by the database's clock, and who owns what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import anyio
import pytest

from postgres_cluster import Cluster
from sac_core.contracts.store import Record, Scope, Store, Unit
from sac_core.errors import ConflictError
from sac_core.store import open_postgres_store

Make = Callable[..., Record]


async def insert(store: Store, scope: Scope, *records: Record) -> None:
    async with store.transaction(scope) as unit:
        for record in records:
            await unit.insert(record)


def agent(make: Make, name: str, executor: str = "process") -> Record:
    return make(name, status={"phase": "Pending", "executor": executor})


async def owner(store: Store, scope: Scope, name: str) -> tuple[str | None, int]:
    record = await store.read(scope).get("Agent", name)
    return record.owner_server, record.fence


async def test_what_is_nobodys_is_claimed_once(store: Store, scope: Scope, make: Make) -> None:
    await insert(store, scope, agent(make, "a"), agent(make, "b"), agent(make, "c", "docker"))
    leases = store.leases("s1")
    await leases.beat({"process"}, ttl=30)
    assert len(await leases.claim(but={"docker/default"}, limit=1)) == 1
    assert len(await leases.claim(but={"docker/default"}, limit=10)) == 1
    assert await leases.claim(but={"docker/default"}, limit=10) == ()
    assert await owner(store, scope, "a") == ("s1", 1)
    assert await owner(store, scope, "c") == (None, 0)
    assert list(await leases.claim(but=(), limit=10)) == [(await store.read(scope).get("Agent", "c")).uid]


async def test_an_agent_is_claimed_by_who_reaches_its_target(store: Store, scope: Scope, make: Make) -> None:
    on_one = make("b", status={"phase": "Pending", "executor": "docker", "target": "one"})
    await insert(store, scope, agent(make, "a", "docker"), on_one)
    leases = store.leases("s1")
    await leases.beat({"docker/default"}, ttl=30)
    assert len(await leases.claim(but={"docker/one"}, limit=10)) == 1
    assert [(await owner(store, scope, name))[0] for name in "ab"] == ["s1", None]
    assert len(await leases.claim(but={"docker/default"}, limit=10)) == 1


async def test_a_record_read_before_its_owner_changed_cannot_be_written(store: Store, scope: Scope, make: Make) -> None:
    """The resource version is the same: only the fence tells."""
    await insert(store, scope, agent(make, "a"))
    leases = store.leases("s1")
    await leases.beat((), ttl=30)
    await leases.claim(but=(), limit=10)
    mine = await store.read(scope).get("Agent", "a")
    await leases.give_up("Agent", [mine.uid])
    await leases.claim(but=(), limit=10)

    async def write(change: Callable[[Unit], Awaitable[object]]) -> None:
        async with store.transaction(scope) as unit:
            await change(unit)

    for change in (
        lambda unit: unit.update(replace(mine, status={"phase": "Running"})),
        lambda unit: unit.remove(mine),
    ):
        with pytest.raises(ConflictError):
            await write(change)
    assert (await store.read(scope).get("Agent", "a")).status["phase"] == "Pending"
    assert await store.changes(scope, 1) == []  # and leases are no changes that watchers are told


async def test_who_leaves_frees_what_it_owned(store: Store, scope: Scope, make: Make) -> None:
    await insert(store, scope, agent(make, "a"))
    leases = store.leases("s1")
    await leases.beat((), ttl=30)
    await leases.claim(but=(), limit=10)
    await leases.leave()
    assert await owner(store, scope, "a") == (None, 2)


async def test_one_thing_is_taken_by_one(store: Store, scope: Scope, make: Make) -> None:
    await insert(store, scope, agent(make, "a"))
    uid = (await store.read(scope).get("Agent", "a")).uid
    first, second = store.leases("s1"), store.leases("s2")
    assert await first.take("Agent", uid)
    assert await first.take("Agent", uid)
    assert not await second.take("Agent", uid)
    assert not await first.take("Agent", "no-such-uid")


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
async def test_a_server_alone_takes_over_at_once(store: Store, scope: Scope, make: Make) -> None:
    """The file was locked by the one before, so it is dead however long its lease was."""
    await insert(store, scope, agent(make, "a"))
    before, after = store.leases("s1"), store.leases("s2")
    await before.beat((), ttl=3600)
    await before.claim(but=(), limit=10)
    assert set(await after.beat((), ttl=30)) == {"s2"}
    assert len(await after.claim(but=(), limit=10)) == 1
    assert await owner(store, scope, "a") == ("s2", 3)


@pytest.fixture
async def shared(postgres: Cluster) -> AsyncIterator[Store]:
    async with open_postgres_store(postgres.database()) as store:
        yield store


async def test_a_living_server_keeps_its_own(shared: Store, scope: Scope, make: Make) -> None:
    await insert(shared, scope, agent(make, "a"))
    first, second = shared.leases("s1"), shared.leases("s2")
    await first.beat({"process"}, ttl=30)
    await first.claim(but=(), limit=10)
    living = await second.beat({"process", "docker"}, ttl=30)
    assert {server: (sorted(one.targets), one.agents) for server, one in living.items()} == {
        "s1": (["process"], 1),
        "s2": (["docker", "process"], 0),
    }
    assert await second.claim(but=(), limit=10) == ()


async def test_what_a_dead_server_owned_is_freed_by_the_next_beat(shared: Store, scope: Scope, make: Make) -> None:
    await insert(shared, scope, agent(make, "a"), make("s", kind="Session"))
    first, second = shared.leases("s1"), shared.leases("s2")
    await first.beat((), ttl=0.05)
    await first.claim(but=(), limit=10)
    session = await shared.read(scope).get("Session", "s")
    await first.take("Session", session.uid)
    with anyio.fail_after(10):
        while "s1" in await second.beat((), ttl=30):  # noqa: ASYNC110
            await anyio.sleep(0.02)
    assert await owner(shared, scope, "a") == (None, 2)
    assert (await shared.read(scope).get("Session", "s")).owner_server is None
    assert len(await second.claim(but=(), limit=10)) == 1
    await first.beat((), ttl=30)  # back from the dead: alive, and owner of nothing
    assert await first.claim(but=(), limit=10) == ()
    assert await owner(shared, scope, "a") == ("s2", 3)


async def test_a_restored_database_names_servers_that_nobody_knows(shared: Store, scope: Scope, make: Make) -> None:
    await insert(shared, scope, replace(agent(make, "a"), owner_server="long-gone", fence=7))
    leases = shared.leases("s1")
    await leases.beat((), ttl=30)
    assert len(await leases.claim(but=(), limit=10)) == 1
    assert await owner(shared, scope, "a") == ("s1", 9)


async def test_many_that_claim_at_once_share_without_overlap(shared: Store, scope: Scope, make: Make) -> None:
    await insert(shared, scope, *(agent(make, f"a{number}") for number in range(50)))
    claimed: list[str] = []

    async def claim(server: str) -> None:
        leases = shared.leases(server)
        await leases.beat((), ttl=30)
        while uids := await leases.claim(but=(), limit=5):
            claimed.extend(uids)

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(claim, f"s{number}")
    assert len(claimed) == len(set(claimed)) == 50
