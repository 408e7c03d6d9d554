"""Open the store on a database of PostgreSQL, which several servers share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import URL

from sac_core.contracts.context import utc_now
from sac_core.contracts.store import Store
from sac_core.errors import ConfigurationError, UnavailableError
from sac_core.store.connection import Readings, Writer
from sac_core.store.identity import prepare
from sac_core.store.postgres_engine import (
    lock_migrations,
    migrating_engine,
    postgres_url,
    read_engine,
    write_engine,
)
from sac_core.store.postgres_news import following_news, notify
from sac_core.store.settle import settled
from sac_core.store.store import SqlStore


@asynccontextmanager
async def open_postgres_store(url: str, *, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Store]:
    """The store on a database that exists, migrated when it is old.

    Several servers may have it open at once. Raises `ConfigurationError` for a URL that cannot be used or a database
    that a newer SAC wrote, `UnavailableError` when nothing answers.
    """
    address = postgres_url(url)
    _check_driver()
    identity, version = await settled(_migrated(address))
    writer, readings = Writer(write_engine(address)), Readings(read_engine(address))
    try:
        async with following_news(address, readings, version) as news:
            yield SqlStore(readings, writer, installation=identity, news=news, clock=clock, notify=notify)
    finally:
        await settled(_close(readings, writer))


def _check_driver() -> None:
    try:
        import asyncpg  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "the driver of PostgreSQL is not installed",
            field="SAC_DATABASE",
            hint='install it: pip install "sac-core[postgres]"',
        ) from None


async def _migrated(address: URL) -> tuple[str, int]:
    engine = migrating_engine(address)
    try:
        return await prepare(engine, before=lock_migrations)
    except UnavailableError as error:
        raise UnavailableError(
            f"PostgreSQL at {address.host or 'its socket'} cannot be used: {error.message}",
            reason=error.reason,
            field="SAC_DATABASE",
            hint=error.hint,
            retry_after=error.retry_after,
        ) from error
    finally:
        await engine.dispose()


async def _close(readings: Readings, writer: Writer) -> None:
    await writer.aclose()
    await readings.aclose()
