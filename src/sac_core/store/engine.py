"""The engines of SQLite, and all that is SQLite's alone: pragmas, BEGIN IMMEDIATE, the file's mode."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_TIMEOUT = 5.0
"""Seconds that a statement waits for another process's lock on the file."""

READERS = 4
"""Connections for reading; each is a thread."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # what was acknowledged survives a loss of power
    f"busy_timeout={int(BUSY_TIMEOUT * 1000)}",
    "journal_size_limit=67108864",
    "cache_size=-8000",
)


def make_private(database: Path) -> None:
    """Make the file with mode 0600 before SQLite would by the umask; its WAL takes the same mode."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def write_engine(database: Path) -> AsyncEngine:
    """One connection; a transaction takes the write lock at its beginning, so that what it reads stays true."""
    engine = create_async_engine(
        _url(database), pool_size=1, max_overflow=0, pool_timeout=BUSY_TIMEOUT, hide_parameters=True
    )
    _prepare(engine, _PRAGMAS)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def read_engine(database: Path) -> AsyncEngine:
    """A few connections that cannot write; each statement is its own snapshot."""
    engine = create_async_engine(
        _url(database),
        pool_size=READERS,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
    )
    _prepare(engine, (*_PRAGMAS, "query_only=ON"))
    return engine


def _url(database: Path) -> URL:
    return URL.create("sqlite+aiosqlite", database=str(database))


def _prepare(engine: AsyncEngine, pragmas: tuple[str, ...]) -> None:
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
