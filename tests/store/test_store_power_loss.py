"""What a loss of power leaves: the database file and its log of writes as they were, the log cut anywhere."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sac_core.contracts.store import EVERYWHERE, Record, Scope, Store
from sac_core.store import open_sqlite_store
from store_kinds import only_sqlite

Make = Callable[..., Record]
CHECKPOINT_BYTES = 64 * 1024 * 1024


async def insert(store: Store, scope: Scope, record: Record) -> None:
    async with store.transaction(scope) as unit:
        await unit.insert(record)


def copied(path: Path, to: Path) -> Path:
    """The disk as it is now."""
    to.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copyfile(path.with_name(name), to / name)
    return to / path.name


async def names(path: Path) -> list[str]:
    """What is in a database that is opened after a loss of power."""
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    async with open_sqlite_store(path, server_id="after") as store:
        things = [record.name for record in (await store.read(EVERYWHERE).list("Agent")).items]
        assert [change.object.name for change in await store.changes(EVERYWHERE, 0, limit=1000)] == things
        return things


@only_sqlite
async def test_what_was_acknowledged_is_there_and_a_cut_log_is_a_moment_before(
    store: Store, scope: Scope, make: Make, path: Path, tmp_path: Path
) -> None:
    chance, written = random.Random(14), list[str]()
    for number in range(60):
        written.append(f"a{number:03}")
        await insert(store, scope, make(written[-1], spec={"text": "x" * chance.randrange(20_000)}))
        if chance.random() > 0.25:
            continue
        whole = copied(path, tmp_path / f"whole{number}")
        cut = copied(path, tmp_path / f"cut{number}")
        log = cut.with_name(f"{cut.name}-wal")
        with log.open("r+b") as file:  # the last pages never reached the disk
            file.truncate(log.stat().st_size - chance.randrange(1, 40_000))
        assert await names(whole) == written
        assert await names(cut) == written[: len(await names(cut))]


@only_sqlite
async def test_a_reader_that_was_left_open_does_not_let_the_log_stay_big(
    store: Store, scope: Scope, make: Make, path: Path
) -> None:
    log, big = path.with_name(f"{path.name}-wal"), {"text": "x" * 4_000_000}
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM resources").fetchone()
        for number in range(10):
            await insert(store, scope, make(f"a{number}", spec=big))
        assert log.stat().st_size > CHECKPOINT_BYTES, "the reader was to hold it up"
    for number in range(2):
        await insert(store, scope, make(f"b{number}"))
    assert log.stat().st_size <= CHECKPOINT_BYTES
