"""The small durable state of plugins and of the core."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from sac_core.contracts.context import Entry, State
from sac_core.errors import ConflictError
from sac_core.store.connection import Rows, Run, Writer
from sac_core.store.records import to_micros, to_text
from sac_core.store.tables import counter, state

_THIS = (state.c.plugin == bindparam("this_plugin")) & (state.c.key == bindparam("this_key"))
_COLUMNS = (state.c.value, state.c.version, state.c.expires_at)
_GET = select(*_COLUMNS).where(_THIS)
_DELETE = delete(state).where(_THIS)
_TAKE = _DELETE.returning(*_COLUMNS)
# One count for all keys: a key that was removed and came back never has an old version again.
_ADVANCE = update(counter).values(state=counter.c.state + 1).returning(counter.c.state)


class SqlState(State):
    """One plugin's state. Each call is a transaction of its own: not for use inside another."""

    def __init__(self, plugin: str, run: Run, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._plugin = plugin
        self._run = run
        self._writer = writer
        self._clock = clock

    async def get(self, key: str) -> Entry | None:
        return self._live(await self._run(_GET, self._named(key)))

    async def put(
        self, key: str, value: dict[str, Any], *, expected: int | None = None, ttl: float | None = None
    ) -> Entry:
        async with self._writer.transaction() as transaction:
            current = self._live(await transaction.run(_GET, self._named(key)))
            _compare(key, expected, current.version if current else 0)
            version: int = (await transaction.run(_ADVANCE))[0][0]
            await transaction.run(_DELETE, self._named(key))
            await transaction.run(insert(state), self._row(key, value, version, ttl))
        return Entry(value, version)

    async def take(self, key: str) -> Entry | None:
        async with self._writer.transaction() as transaction:
            return self._live(await transaction.run(_TAKE, self._named(key)))

    async def delete(self, key: str) -> None:
        async with self._writer.transaction() as transaction:
            await transaction.run(_DELETE, self._named(key))

    def _named(self, key: str) -> dict[str, str]:
        return {"this_plugin": self._plugin, "this_key": key}

    def _live(self, rows: Rows) -> Entry | None:
        if not rows:
            return None
        value, version, expires = rows[0]
        expired = expires is not None and expires <= (to_micros(self._clock()) or 0)
        return None if expired else Entry(json.loads(value), version)

    def _row(self, key: str, value: dict[str, Any], version: int, ttl: float | None) -> dict[str, Any]:
        expires = None if ttl is None else to_micros(self._clock() + timedelta(seconds=ttl))
        return {"plugin": self._plugin, "key": key, "value": to_text(value), "version": version, "expires_at": expires}


async def prune_state(writer: Writer, now: datetime) -> None:
    """Remove what expired."""
    async with writer.transaction() as transaction:
        await transaction.run(delete(state).where(state.c.expires_at <= to_micros(now)))


def _compare(key: str, expected: int | None, current: int) -> None:
    if expected is not None and expected != current:
        raise ConflictError(
            f"{key!r} was changed since it was read",
            current=str(current),
            hint="read it again and repeat the change",
        )
