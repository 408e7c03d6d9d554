"""What goes wrong with a database: full, busy, locked, newer, damaged. Always our errors, and nothing half written."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from sac_core.contracts.store import Record, Scope, Store
from sac_core.errors import ConfigurationError, SacError, UnavailableError
from sac_core.store import engine, open_sqlite_store
from sac_core.store.unit import SqlUnit
from store_kinds import only_sqlite

Make = Callable[..., Record]


async def _open(path: Path) -> None:
    async with open_sqlite_store(path, server_id="server-1"):
        pass


async def _insert(store: Store, scope: Scope, *records: Record) -> None:
    async with store.transaction(scope) as unit:
        for record in records:
            await unit.insert(record)


async def _pragma(store: Store, scope: Scope, pragma: str) -> int:
    """On the connection that writes."""
    async with store.transaction(scope) as unit:
        assert isinstance(unit, SqlUnit)
        return int((await unit._run(text(f"PRAGMA {pragma}")))[0][0])


@asynccontextmanager
async def _filled(store: Store, scope: Scope) -> AsyncIterator[None]:
    """No page more fits while the block runs."""
    await _pragma(store, scope, f"max_page_count={await _pragma(store, scope, 'page_count')}")
    yield
    await _pragma(store, scope, "max_page_count=1000000")


@only_sqlite
async def test_full(store: Store, scope: Scope, make: Make, path: Path) -> None:
    await _insert(store, scope, make("a1"))
    big = {"text": "x" * 200_000}
    async with _filled(store, scope):
        with pytest.raises(UnavailableError) as caught:
            await _insert(store, scope, make("a2"), make("a3", spec=big))
        assert caught.value.reason == "StorageFull"
        assert "full" in caught.value.message
        assert caught.value.retry_after
        assert [record.name for record in (await store.read(scope).list("Agent")).items] == ["a1"]
        assert await store.version() == 1
    await _insert(store, scope, make("a3", spec=big))
    assert [change.object.name for change in await store.changes(scope, 0)] == ["a1", "a3"]
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@only_sqlite
async def test_a_broken_unit_cannot_go_on(store: Store, scope: Scope, make: Make) -> None:
    """SQLite may have rolled back already: what follows would commit by itself."""

    async def go_on() -> None:
        async with store.transaction(scope) as unit:
            await unit.insert(make("a2"))
            with pytest.raises(UnavailableError):
                await unit.insert(make("a3", spec={"text": "x" * 200_000}))
            with pytest.raises(UnavailableError):
                await unit.insert(make("a4"))

    async with _filled(store, scope):
        with pytest.raises(UnavailableError):
            await go_on()
    assert (await store.read(scope).list("Agent")).items == ()


async def test_busy(path: Path, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pragmas = tuple("busy_timeout=50" if "busy" in pragma else pragma for pragma in engine._PRAGMAS)
    monkeypatch.setattr(engine, "_PRAGMAS", pragmas)
    async with open_sqlite_store(path, server_id="server-1") as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(UnavailableError) as caught:
                await _insert(store, scope, make("a1"))
            assert caught.value.reason == "StorageBusy"
            assert caught.value.retry_after
            assert (await store.read(scope).list("Agent")).items == ()
        await _insert(store, scope, make("a1"))


def test_a_statement_waits_for_five_seconds() -> None:
    assert engine.BUSY_TIMEOUT == 5.0
    assert "busy_timeout=5000" in engine._PRAGMAS


async def test_writers_wait_no_longer_than_their_time(
    store: Store, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sac_core.store.connection.TURN_TIMEOUT", 0.05)
    async with store.transaction(scope) as unit:
        await unit.insert(make("a1"))
        with pytest.raises(UnavailableError) as caught:
            await _insert(store, scope, make("a2"))
        assert caught.value.reason == "StorageBusy"
    await _insert(store, scope, make("a2"))


@only_sqlite
async def test_a_second_server_is_refused(store: Store, path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await _open(path)
    assert caught.value.reason == "Locked"
    assert str(os.getpid()) in caught.value.message
    assert "connect()" in str(caught.value)


@only_sqlite
async def test_a_second_process_is_refused(store: Store, path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys; from sac_core.store import open_sqlite_store\n"
        "async def main():\n"
        "    async with open_sqlite_store(pathlib.Path(sys.argv[1]), server_id='s'): print('open')\n"
        "asyncio.run(main())"
    )
    other = await anyio.run_process([sys.executable, "-c", program, str(path)], check=False)
    assert other.returncode == 1
    assert f"process {os.getpid()}" in other.stderr.decode()
    assert other.stdout == b""


async def test_the_lock_ends_with_the_store(path: Path) -> None:
    await _open(path)
    await _open(path)


async def test_a_newer_database_is_refused(path: Path) -> None:
    await _open(path)
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
        plain.commit()
    with pytest.raises(ConfigurationError) as caught:
        await _open(path)
    assert caught.value.reason == "NewerDatabase"
    assert "newer SAC" in caught.value.message


def test_what_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"a shopping list\n" * 500)
    with pytest.raises(SacError, match="damaged"):
        anyio.run(_open, path)
    assert path.read_bytes() == b"a shopping list\n" * 500


def test_a_folder_that_cannot_be_is_refused(path: Path) -> None:
    path.parent.write_text("a file")
    with pytest.raises(ConfigurationError) as caught:
        anyio.run(_open, path)
    assert caught.value.field == "SAC_DATA_DIR"


def test_a_readable_file_is_made_private(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    anyio.run(_open, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_no_text_shows_sql(store: Store, scope: Scope, make: Make) -> None:
    async def collide() -> None:
        async with store.transaction(scope) as unit:
            assert isinstance(unit, SqlUnit)
            await unit._run(text("INSERT INTO installation VALUES (:id)"), {"id": store.installation})

    with pytest.raises(SacError) as caught:
        await collide()
    assert "INSERT" not in str(caught.value)
    assert "INSERT" not in str(caught.value.__cause__)
