"""The engines of PostgreSQL, and what is its alone: time-outs, the lock of writers, one migration at a time.

Every unit of work begins by locking the row of the counter, as BEGIN IMMEDIATE locks a file of SQLite: writers take
turns, commit order is version order, and what a unit has read stays true until it ends.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sac_core.errors import ConfigurationError

READERS = 4
CONNECT_TIMEOUT = 3.0
STATEMENT_TIMEOUT = 8.0
"""Seconds that a statement may take on the server; the client waits a little longer, for a server that is not there."""

_MIGRATING = 0x5AC_0001
"""The number of the advisory lock under which one server migrates."""

_SERVER_SETTINGS = {
    "application_name": "sac",
    "statement_timeout": str(int(STATEMENT_TIMEOUT * 1000)),
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "20000",
    "timezone": "UTC",
}


def postgres_url(text: str) -> URL:
    """A URL ``postgresql://user:password@host:port/name``; raises `ConfigurationError` that does not repeat it."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _refused("it is not a URL") from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise _refused(f"{url.drivername!r} is not a database that SAC knows")
    if not url.database:
        raise _refused("it names no database")
    return url.set(drivername="postgresql+asyncpg")


def _refused(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the database's URL cannot be used: {why}",
        field="SAC_DATABASE",
        hint="for example postgresql://user:password@127.0.0.1:5432/sac; leave it out for SQLite",
    )


def migrating_engine(url: URL) -> AsyncEngine:
    """One connection that takes no lock by itself."""
    return create_async_engine(url, pool_size=1, max_overflow=0, hide_parameters=True, connect_args=_arguments())


def write_engine(url: URL) -> AsyncEngine:
    """One connection; a transaction begins with the lock of writers."""
    engine = migrating_engine(url)
    event.listen(engine.sync_engine, "begin", _lock_counter)
    return engine


def read_engine(url: URL) -> AsyncEngine:
    """A few connections that each statement has to itself."""
    return create_async_engine(
        url,
        pool_size=READERS,
        max_overflow=0,
        pool_timeout=STATEMENT_TIMEOUT,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,
        connect_args=_arguments(default_transaction_read_only="on"),
    )


def lock_migrations(connection: Connection) -> None:
    """Wait until no other server migrates; held until the transaction ends."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
    connection.exec_driver_sql("SET LOCAL statement_timeout = '120s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")


def _arguments(**more: str) -> dict[str, Any]:
    settings = {**_SERVER_SETTINGS, **more}
    return {"timeout": CONNECT_TIMEOUT, "command_timeout": STATEMENT_TIMEOUT + 2, "server_settings": settings}


def _lock_counter(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT rv FROM counter FOR UPDATE")
