"""Migrations make the tables that the code knows."""

from __future__ import annotations

from pathlib import Path

import anyio
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from sac_core.contracts.store import Store
from sac_core.store import open_sqlite_store
from sac_core.store.tables import metadata
from store_kinds import only_sqlite


@only_sqlite
async def test_the_migrated_database_is_that_of_the_tables(store: Store, path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        named = {index["name"] for table in metadata.tables for index in inspect(connection).get_indexes(table)}
    engine.dispose()
    assert {"due", "labels_of", "expiring"} <= named


async def test_several_databases_are_made_at_once_in_one_program(tmp_path: Path) -> None:
    opened: list[str] = []

    async def open_one(name: str) -> None:
        async with open_sqlite_store(tmp_path / name, server_id=name) as store:
            opened.append(store.installation)

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(open_one, f"{number}.db")
    assert len(set(opened)) == 6
