"""Declared things: written by compare-and-set, seen in one scope, all or nothing."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from sac_core.contracts.store import Query, Record, Requirement, Scope, Store
from sac_core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnavailableError
from sac_core.models.principal import LOCAL
from sac_core.store import open_sqlite_store
from store_kinds import only_sqlite

Make = Callable[..., Record]
OTHER = Scope(LOCAL, "other")


async def _insert(store: Store, scope: Scope, *records: Record) -> list[Record]:
    async with store.transaction(scope) as unit:
        return [await unit.insert(record) for record in records]


async def test_every_field_comes_back(store: Store, scope: Scope, make: Make, clock: Any) -> None:
    given = make(
        "a1",
        spec={"deep": [1, {"ü": None}]},
        labels={"team": "red"},
        meta={"annotations": {"a": "b"}},
        generation=3,
        deleted_at=clock.now,
        launch={"hash": "x"},
        deadline=clock.now + timedelta(microseconds=1),
        owner_server="server-1",
        fence=7,
    )
    [record] = await _insert(store, scope, given)
    assert record == replace(given, resource_version=1, created_at=clock.now)
    assert await store.read(scope).get("Agent", "a1") == record
    assert await store.read(scope).by_uid("Agent", given.uid) == record


async def test_what_is_written_survives_a_restart(path: Path, scope: Scope, make: Make) -> None:
    async with open_sqlite_store(path, server_id="server-1") as store:
        [record] = await _insert(store, scope, make("a1"))
        identity = store.installation
    async with open_sqlite_store(path, server_id="server-2") as store:
        assert await store.read(scope).get("Agent", "a1") == record
        assert await store.version() == 1
        assert store.installation == identity
    assert len(identity) == 12
    assert set(identity) <= set("abcdefghijklmnopqrstuvwxyz234567")


async def test_a_name_is_taken_once_per_tenant_and_kind(
    store: Store, scope: Scope, everywhere: Scope, make: Make
) -> None:
    await _insert(store, everywhere, make("a1"), make("a1", kind="Session"), make("a1", tenant="other"))
    with pytest.raises(ConflictError) as caught:
        await _insert(store, scope, replace(make("a1"), uid="another"))
    assert caught.value.reason == "AlreadyExists"
    assert "Agent 'a1'" in caught.value.message


async def test_a_uid_is_taken_for_ever(store: Store, scope: Scope, make: Make) -> None:
    await _insert(store, scope, make("a1"))
    with pytest.raises(ConflictError) as caught:
        await _insert(store, scope, replace(make("a2"), uid=make("a1").uid))
    assert caught.value.field == "metadata.uid"


async def test_a_taken_name_leaves_the_unit_usable(store: Store, scope: Scope, make: Make) -> None:
    await _insert(store, scope, make("a1"))
    async with store.transaction(scope) as unit:
        with pytest.raises(ConflictError):
            await unit.insert(replace(make("a1"), uid="another"))
        await unit.insert(make("a2"))
    assert (await store.read(scope).get("Agent", "a2")).name == "a2"


async def test_update_writes_all_but_identity(store: Store, scope: Scope, make: Make, clock: Any) -> None:
    [first] = await _insert(store, scope, make("a1", labels={"team": "red", "tier": "1"}))
    clock.advance(60)
    wanted = replace(
        first,
        status={"phase": "Running"},
        spec={"runtime": "agno"},
        labels={"team": "blue"},
        generation=2,
        created_at=clock.now,
        deadline=clock.now,
    )
    async with store.transaction(scope) as unit:
        second = await unit.update(wanted)
        assert await unit.get("Agent", "a1") == second
    assert second == replace(wanted, resource_version=2, created_at=first.created_at)
    assert await store.read(scope).get("Agent", "a1") == second


async def test_a_stale_update_names_the_current_version(store: Store, scope: Scope, make: Make) -> None:
    [first] = await _insert(store, scope, make("a1"))
    async with store.transaction(scope) as unit:
        await unit.update(replace(first, status={"phase": "Running"}))
    for verb in ("update", "remove"):
        with pytest.raises(ConflictError) as caught:
            async with store.transaction(scope) as unit:
                await getattr(unit, verb)(first)
        assert caught.value.current == "2"
        assert caught.value.hint
    assert (await store.read(scope).get("Agent", "a1")).status == {"phase": "Running"}


async def test_a_name_never_changes(store: Store, scope: Scope, make: Make) -> None:
    [first] = await _insert(store, scope, make("a1"))
    with pytest.raises(InvalidError):
        async with store.transaction(scope) as unit:
            await unit.update(replace(first, name="a2"))


async def test_defer_is_no_change(store: Store, scope: Scope, make: Make, clock: Any) -> None:
    [first, gone] = await _insert(store, scope, make("a1"), make("a2"))
    later = clock.now + timedelta(seconds=5)
    async with store.transaction(scope) as unit:
        await unit.remove(gone)
    async with store.transaction(scope) as unit:
        await unit.defer(first, later)
        await unit.defer(gone, later)
    assert await store.read(scope).get("Agent", "a1") == replace(first, deadline=later)
    assert await store.version() == 3
    due = await store.read(scope).list("Agent", Query(due_before=later))
    assert [record.name for record in due.items] == ["a1"]
    assert not (await store.read(scope).list("Agent", Query(due_before=clock.now))).items


async def test_removed_is_gone_and_its_name_is_free(store: Store, scope: Scope, make: Make) -> None:
    [first] = await _insert(store, scope, make("a1", labels={"team": "red"}))
    async with store.transaction(scope) as unit:
        await unit.remove(first)
    with pytest.raises(NotFoundError):
        await store.read(scope).get("Agent", "a1")
    with pytest.raises(NotFoundError):
        async with store.transaction(scope) as unit:
            await unit.remove(first)
    await _insert(store, scope, make("a1", labels={"team": "red"}))


async def test_another_tenants_things_are_not_there(store: Store, scope: Scope, make: Make) -> None:
    [mine] = await _insert(store, scope, make("a1", labels={"team": "red"}))
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
        await _insert(store, OTHER, make("a2"))
    assert await store.read(scope).get("Agent", "a1") == mine


async def test_a_name_in_two_tenants_wants_a_tenant(store: Store, everywhere: Scope, make: Make) -> None:
    await _insert(store, everywhere, make("a1"), make("a1", tenant="other"), make("a2", tenant="other"))
    assert (await store.read(everywhere).get("Agent", "a2")).tenant == "other"
    with pytest.raises(InvalidError):
        await store.read(everywhere).get("Agent", "a1")


async def test_a_unit_that_raises_leaves_nothing(store: Store, scope: Scope, make: Make) -> None:
    async def fail() -> None:
        async with store.transaction(scope) as unit:
            await unit.insert(make("a1", labels={"team": "red"}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await store.read(scope).list("Agent")).items == ()
    assert await store.changes(scope, 0) == []
    assert await store.version() == 0


async def test_readers_do_not_wait_and_do_not_see_what_is_not_committed(store: Store, scope: Scope, make: Make) -> None:
    async with store.transaction(scope) as unit:
        await unit.insert(make("a1"))
        with anyio.fail_after(2):
            assert (await store.read(scope).list("Agent")).items == ()
    assert len((await store.read(scope).list("Agent")).items) == 1


async def test_text_that_is_not_unicode_is_refused(store: Store, scope: Scope) -> None:
    with pytest.raises(InvalidError):
        await store.read(scope).get("Agent", "\udcff")


async def test_numbers_that_json_lacks_are_refused(store: Store, scope: Scope, make: Make) -> None:
    with pytest.raises(InvalidError):
        await _insert(store, scope, make("a1", spec={"x": float("nan")}))


@only_sqlite
async def test_the_files_are_private(store: Store, scope: Scope, make: Make, path: Path) -> None:
    await _insert(store, scope, make("a1"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("sac.db", "sac.db-wal", "sac.db-shm", "sac.db.lock"), 0o600)


async def test_a_closed_store_says_so(path: Path, scope: Scope) -> None:
    async with open_sqlite_store(path, server_id="server-1") as store:
        reader = store.read(scope)
    with pytest.raises(UnavailableError, match="closed"):
        await reader.get("Agent", "a1")
    with pytest.raises(UnavailableError, match="closed"):
        async with store.transaction(scope):
            pass


async def test_a_unit_sees_its_own_writes(store: Store, scope: Scope, make: Make) -> None:
    async with store.transaction(scope) as unit:
        first = await unit.insert(make("a1", labels={"team": "red"}))
        assert await unit.by_uid("Agent", first.uid) == first
        page = await unit.list("Agent", Query(labels=(Requirement("team", "=", ("red",)),)))
        assert (page.items, page.version) == ((first,), 1)
        second = await unit.update(replace(first, status={"phase": "Running"}))
        assert (second.resource_version, await unit.get("Agent", "a1")) == (2, second)


async def test_labels_that_change_are_found_by_their_new_value(store: Store, scope: Scope, make: Make) -> None:
    [first] = await _insert(store, scope, make("a1", labels={"team": "red"}))
    async with store.transaction(scope) as unit:
        await unit.update(replace(first, labels={"team": "blue"}))
    for value, count in (("red", 0), ("blue", 1)):
        page = await store.read(scope).list("Agent", Query(labels=(Requirement("team", "=", (value,)),)))
        assert len(page.items) == count
