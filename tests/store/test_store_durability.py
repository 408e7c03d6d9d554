"""What was acknowledged is there after a kill; what many do at once is all there."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from sac_core.contracts.store import Record, Scope, Store
from sac_core.errors import ConflictError, ExpiredError
from sac_core.store import connection, open_sqlite_store
from sac_core.store.unit import SqlUnit
from store_kinds import only_sqlite

Make = Callable[..., Record]

COMMITTER = """
import asyncio, sys
from pathlib import Path
from sac_core.contracts.store import Record, Scope
from sac_core.models.principal import LOCAL
from sac_core.store import open_sqlite_store

async def main():
    async with open_sqlite_store(Path(sys.argv[1]), server_id="killed") as store:
        start = await store.version()
        for number in range(start, start + 100000):
            name = f"a{number}"
            async with store.transaction(Scope(LOCAL, "default")) as unit:
                await unit.insert(Record("Agent", "default", name, name, "user:local", {}, {}, labels={"n": name}))
            print(name, flush=True)

asyncio.run(main())
"""


def _killed_after(path: Path, commits: int) -> list[str]:
    """The names that a process acknowledged before it was killed in its work."""
    with subprocess.Popen([sys.executable, "-c", COMMITTER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        names = [process.stdout.readline() for _ in range(commits)]
        os.kill(process.pid, signal.SIGKILL)
        names += process.stdout.readlines()
    return [name.strip() for name in names if name.endswith("\n")]


async def test_kill(path: Path, scope: Scope) -> None:
    acknowledged: list[str] = []
    for commits in (7, 23):
        acknowledged += _killed_after(path, commits)
        with closing(sqlite3.connect(path)) as plain:
            assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        async with open_sqlite_store(path, server_id="after") as store:
            things = {record.name: record for record in (await store.read(scope).list("Agent")).items}
            assert set(acknowledged) <= set(things)
            assert len(things) - len(set(acknowledged)) <= 2  # committed, and killed before it said so
            changes = await store.changes(scope, 0, limit=10_000)
            assert [change.version for change in changes] == list(range(1, len(things) + 1))
            assert {change.object.name: change.object for change in changes} == things
    assert len(acknowledged) >= 30


async def test_two_hundred_read_and_write_and_lose_nothing(
    store: Store, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TURN_TIMEOUT", 100)  # the last of them waits for all, on a slow disk too
    async with store.transaction(scope) as unit:
        await unit.insert(make("a1", status={"count": 0}))

    async def add() -> None:
        async with store.transaction(scope) as unit:
            record = await unit.get("Agent", "a1")
            await unit.update(replace(record, status={"count": record.status["count"] + 1}))

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(add)
    assert (await store.read(scope).get("Agent", "a1")).status == {"count": 200}
    assert await store.version() == 201


async def test_of_many_with_one_version_one_wins(store: Store, scope: Scope, make: Make) -> None:
    async with store.transaction(scope) as unit:
        first = await unit.insert(make("a1"))

    async def write(number: int) -> None:
        async with store.transaction(scope) as unit:
            await unit.update(replace(first, status={"winner": number}))

    results = await asyncio.gather(*(write(number) for number in range(20)), return_exceptions=True)
    assert results.count(None) == 1
    assert all(isinstance(result, ConflictError) for result in results if result is not None)


async def test_many_readers_at_once(store: Store, scope: Scope, make: Make) -> None:
    async with store.transaction(scope) as unit:
        await unit.insert(make("a1"))
    records = await asyncio.gather(*(store.read(scope).get("Agent", "a1") for _ in range(200)))
    assert len(records) == 200


@only_sqlite
async def test_an_acknowledgement_waits_for_the_disk(store: Store, scope: Scope) -> None:
    async with store.transaction(scope) as unit:
        assert isinstance(unit, SqlUnit)
        assert (await unit._run(text("PRAGMA synchronous")))[0][0] == 2
        assert (await unit._run(text("PRAGMA journal_mode")))[0][0] == "wal"


@only_sqlite
async def test_what_a_unit_has_read_stays_true(store: Store, scope: Scope, path: Path) -> None:
    """Whoever else opened the file cannot write before the unit has ended, although the unit has only read."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        async with store.transaction(scope) as unit:
            await unit.list("Agent")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


@only_sqlite
async def test_the_files_are_private(store: Store, scope: Scope, make: Make, path: Path) -> None:
    async with store.transaction(scope) as unit:
        await unit.insert(make("a1"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("sac.db", "sac.db-wal", "sac.db-shm", "sac.db.lock", "sac.db.reserve"), 0o600)


async def test_pruning_goes_in_batches(store: Store, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sac_core.store.changes._PRUNE_BATCH", 2)
    async with store.transaction(scope) as unit:
        for number in range(7):
            await unit.insert(make(f"a{number}"))
    await store.prune(keep=1)
    assert [change.version for change in await store.changes(scope, 6)] == [7]
    with pytest.raises(ExpiredError):
        await store.changes(scope, 5)
