"""News of other servers' commits: LISTEN and NOTIFY as a hint, and a look at the counter every second as the truth."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from sqlalchemy import URL, select, text

from sac_core.contracts.background import background
from sac_core.errors import SacError
from sac_core.store.connection import Readings, Run
from sac_core.store.news import News
from sac_core.store.postgres_engine import CONNECT_TIMEOUT
from sac_core.store.tables import counter

log = logging.getLogger("sac.store")

CHANNEL = "sac_changes"
POLL = 1.0
"""Seconds between looks at the counter: how late a change is seen when its hint was lost."""

_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', CAST(:version AS text))")
_PAUSE = 2.0


async def notify(run: Run, version: int) -> None:
    """Hint at a version, told to all servers when the transaction is committed."""
    await run(_NOTIFY, {"version": str(version)})


@asynccontextmanager
async def following_news(url: URL, readings: Readings, version: int) -> AsyncIterator[News]:
    """News that follow the database until the context is left."""
    news = News(version)
    async with background() as tasks:
        tasks.start_soon(_poll, readings, news)
        tasks.start_soon(_listen, url, news)
        yield news


async def _poll(readings: Readings, news: News) -> None:
    while True:
        await anyio.sleep(POLL * random.uniform(0.9, 1.1))
        try:
            news.tell((await readings.run(select(counter.c.rv)))[0][0])
        except SacError as error:
            log.info("cannot look for changes: %s", error)


async def _listen(url: URL, news: News) -> None:
    """Listen for hints; a connection that ends is made again."""
    while True:
        try:
            await _hear(url, news)
        except Exception as error:  # only hints are lost: the poll goes on
            log.info("not listening for changes: %s", error)
        await anyio.sleep(_PAUSE * random.uniform(0.5, 1.0))


async def _hear(url: URL, news: News) -> None:
    """Tell of hints until the connection ends."""
    import asyncpg

    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT)
    ended = anyio.Event()
    try:
        connection.add_termination_listener(lambda _: ended.set())
        await connection.add_listener(CHANNEL, lambda *told: _told(news, told[-1]))
        await ended.wait()
    finally:
        connection.terminate()


def _told(news: News, payload: Any) -> None:
    with suppress(ValueError):
        news.tell(int(payload))
