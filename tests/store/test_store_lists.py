"""Lists: pages in order, selectors, and statements that follow an index however many things there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sac_core.contracts.store import Query, Record, Requirement, Scope, Store
from sac_core.errors import InvalidError
from sac_core.store.changes import following
from sac_core.store.engine import read_engine
from sac_core.store.listing import listing
from store_kinds import only_sqlite

Make = Callable[..., Record]


async def _names(store: Store, scope: Scope, **query: Any) -> list[str]:
    return [record.name for record in (await store.read(scope).list("Agent", Query(**query))).items]


async def _insert(store: Store, scope: Scope, *records: Record) -> None:
    async with store.transaction(scope) as unit:
        for record in records:
            await unit.insert(record)


@pytest.fixture
async def stocked(store: Store, everywhere: Scope, make: Make) -> Store:
    await _insert(
        store,
        everywhere,
        make("b", labels={"team": "red", "tier": "1"}, status={"phase": "Running"}, spec={"agent": "x", "on": True}),
        make("a", labels={"team": "red", "tier": "2"}, spec={"agent": "y", "on": False, "size": {"cpu": 2}}),
        make("c", labels={"team": "blue"}),
        make("d"),
        make("a", tenant="zoo", labels={"team": "red"}),
        make("a", tenant="ant", labels={"team": "red"}),
        make("s", kind="Session", labels={"team": "red"}),
    )
    return store


async def test_a_list_is_in_order_and_has_a_version(stocked: Store, scope: Scope) -> None:
    page = await stocked.read(scope).list("Agent")
    assert [record.name for record in page.items] == ["a", "b", "c", "d"]
    assert (page.version, page.next) == (7, None)


async def test_an_empty_list_has_the_version_too(stocked: Store, scope: Scope) -> None:
    page = await stocked.read(scope).list("Task")
    assert (page.items, page.version, page.next) == ((), 7, None)


@pytest.mark.parametrize("labels", [(), (Requirement("team", "=", ("red",)),)])
async def test_pages_hold_all_once(stocked: Store, everywhere: Scope, labels: tuple[Requirement, ...]) -> None:
    whole = (await stocked.read(everywhere).list("Agent", Query(labels=labels))).items
    parts: list[Record] = []
    after = None
    while True:
        page = await stocked.read(everywhere).list("Agent", Query(labels=labels, limit=2, after=after))
        assert len(page.items) <= 2
        parts += page.items
        after = page.next
        if after is None:
            break
    assert tuple(parts) == whole
    assert [(record.tenant, record.name) for record in whole] == sorted((r.tenant, r.name) for r in whole)
    assert len(whole) == (4 if labels else 6)


async def test_a_page_that_ends_exactly_has_no_next(stocked: Store, scope: Scope) -> None:
    page = await stocked.read(scope).list("Agent", Query(limit=4))
    assert (len(page.items), page.next) == (4, None)


async def test_pages_go_on_when_the_last_thing_of_one_is_removed(stocked: Store, scope: Scope) -> None:
    page = await stocked.read(scope).list("Agent", Query(limit=2))
    async with stocked.transaction(scope) as unit:
        await unit.remove(page.items[-1])
    assert await _names(stocked, scope, limit=2, after=page.next) == ["c", "d"]


@pytest.mark.parametrize("token", ["", "x", "bnVsbA", "WzEsMl0", "WyJhIl0", "Ü", "WyJhIiwiYiIsImMiXQ"])
async def test_a_token_that_is_not_ours_is_refused(store: Store, scope: Scope, token: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await store.read(scope).list("Agent", Query(limit=2, after=token))
    assert caught.value.field == "continue"


async def test_a_negative_limit_is_refused(store: Store, scope: Scope) -> None:
    with pytest.raises(InvalidError):
        await store.read(scope).list("Agent", Query(limit=-1))


@pytest.mark.parametrize(
    ("operator", "values", "names"),
    [
        ("=", ("red",), ["a", "b"]),
        ("!=", ("red",), ["c", "d"]),
        ("in", ("red", "blue"), ["a", "b", "c"]),
        ("notin", ("blue", "green"), ["a", "b", "d"]),
        ("in", (), []),
        ("notin", (), ["a", "b", "c", "d"]),
        ("exists", (), ["a", "b", "c"]),
        ("missing", (), ["d"]),
    ],
)
async def test_labels(stocked: Store, scope: Scope, operator: str, values: tuple[str, ...], names: list[str]) -> None:
    assert await _names(stocked, scope, labels=(Requirement("team", operator, values),)) == names


async def test_all_terms_hold(stocked: Store, scope: Scope) -> None:
    terms = (Requirement("team", "=", ("red",)), Requirement("tier", "=", ("2",)))
    assert await _names(stocked, scope, labels=terms) == ["a"]
    running = (Requirement("status.phase", "=", ("Running",)),)
    assert await _names(stocked, scope, labels=terms[:1], fields=running) == ["b"]


@pytest.mark.parametrize(
    ("field", "operator", "values", "names"),
    [
        ("metadata.name", "=", ("c",), ["c"]),
        ("metadata.name", "!=", ("c",), ["a", "b", "d"]),
        ("status.phase", "=", ("Running",), ["b"]),
        ("spec.agent", "in", ("x", "y"), ["a", "b"]),
        ("spec.agent", "!=", ("x",), ["a", "c", "d"]),
        ("spec.agent", "missing", (), ["c", "d"]),
        ("spec.agent", "exists", (), ["a", "b"]),
        ("spec.on", "=", ("true",), ["b"]),
        ("spec.on", "=", ("false",), ["a"]),
        ("spec.size.cpu", "=", ("2",), ["a"]),
    ],
)
async def test_fields(
    stocked: Store, scope: Scope, field: str, operator: str, values: tuple[str, ...], names: list[str]
) -> None:
    assert await _names(stocked, scope, fields=(Requirement(field, operator, values),)) == names


@pytest.mark.parametrize(
    "field", ["spec", "spec.", "uid", "spec.a'b", 'spec.a"b', "spec.a[0]", "meta.x", "spec..a", "launch.x"]
)
async def test_a_path_that_is_none_is_refused(store: Store, scope: Scope, field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await _names(store, scope, fields=(Requirement(field, "=", ("x",)),))
    assert caught.value.field == "fieldSelector"


async def test_an_operator_that_is_none_is_refused(store: Store, scope: Scope) -> None:
    for terms in ({"fields": (Requirement("spec.agent", "~"),)}, {"labels": (Requirement("a", "~"),)}):
        with pytest.raises(InvalidError, match="operator"):
            await _names(store, scope, **terms)


async def test_values_are_bound(stocked: Store, scope: Scope) -> None:
    hostile = "x' OR '1'='1"
    assert await _names(stocked, scope, fields=(Requirement("spec.agent", "=", (hostile,)),)) == []
    assert await _names(stocked, scope, labels=(Requirement(hostile, "exists"),)) == []


@pytest.fixture
async def connection(store: Store, path: Path) -> AsyncIterator[AsyncConnection]:
    engine = read_engine(path)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def _plan(connection: AsyncConnection, statement: Any) -> list[str]:
    compiled = statement.compile(connection.engine.sync_engine, compile_kwargs={"literal_binds": True})
    return [
        row.detail
        for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {str(compiled).replace(':', chr(92) + ':')}"))
    ]


AFTER = "WyJkZWZhdWx0IiwiYSJd"
RED = (Requirement("team", "=", ("red",)),)


@pytest.mark.parametrize("tenant", ["default", "*"])
@pytest.mark.parametrize("after", [None, AFTER])
@pytest.mark.parametrize("labels", [(), RED])
@only_sqlite
async def test_a_page_follows_an_index(
    connection: AsyncConnection, scope: Scope, tenant: str, after: str | None, labels: tuple[Requirement, ...]
) -> None:
    statement = listing(Scope(scope.principal, tenant), "Agent", Query(limit=100, after=after, labels=labels))
    plan = await _plan(connection, statement)
    assert not [step for step in plan if "TEMP B-TREE" in step]
    assert not [
        step for step in plan if step.startswith("SCAN") and step not in ("SCAN counter", "SCAN found LEFT-JOIN")
    ], plan
    ends = [step for step in plan if "resources USING" in step or "along USING" in step]
    assert ends
    if after:
        assert "(tenant,name)>" in ends[0] or "name>" in ends[0], plan


@only_sqlite
async def test_what_is_due_follows_an_index(connection: AsyncConnection, everywhere: Scope, clock: Any) -> None:
    plan = await _plan(connection, listing(everywhere, "Agent", Query(due_before=clock.now)))
    assert any("INDEX due" in step for step in plan), plan


@only_sqlite
async def test_changes_follow_an_index(connection: AsyncConnection, scope: Scope) -> None:
    plan = await _plan(connection, following(scope, 5, ("Agent",), 500))
    assert not [step for step in plan if "TEMP B-TREE" in step], plan
    assert any("SEARCH changes USING INTEGER PRIMARY KEY" in step for step in plan), plan
