"""Statements follow an index, however many things there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sac_core.contracts.store import Query, Record, Requirement, Scope, Store
from sac_core.store.changes import following
from sac_core.store.engine import read_engine
from sac_core.store.listing import listing
from store_kinds import only_sqlite

Make = Callable[..., Record]


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
