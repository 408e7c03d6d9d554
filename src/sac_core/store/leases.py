"""Leases in SQL, by the database's clock. Every statement is in a transaction that has the lock of writers."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from sac_core.contracts.leases import Leases, Living
from sac_core.models.placement import DEFAULT_TARGET
from sac_core.store.connection import Run, Writer
from sac_core.store.selectors import JsonText
from sac_core.store.tables import resources, servers


class DatabaseNow(FunctionElement[int]):
    """The database's clock, in microseconds since 1970: one time for all of a transaction, that of its begin."""

    type = BigInteger()
    inherit_cache = True


@compiles(DatabaseNow, "sqlite")
def _in_sqlite(element: DatabaseNow, compiler: SQLCompiler, **options: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


@compiles(DatabaseNow, "postgresql")
def _in_postgresql(element: DatabaseNow, compiler: SQLCompiler, **options: Any) -> str:
    return "CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)"


_NOW = DatabaseNow()
_EXPIRY = _NOW + bindparam("ttl", type_=BigInteger)
_RENEW = (
    update(servers)
    .where(servers.c.id == bindparam("this_server"))
    .values(expires_at=_EXPIRY, executors=bindparam("having"))
    .returning(servers.c.id)
)
_DEAD = select(servers.c.id).where(servers.c.expires_at <= _NOW, servers.c.id != bindparam("this_server"))
_UNKNOWN = resources.c.owner_server.is_not(None) & resources.c.owner_server.not_in(select(servers.c.id))
_FREE = {"owner_server": None, "fence": resources.c.fence + 1}
_LIVING = (
    select(servers.c.id, servers.c.executors, func.count(resources.c.uid))
    .outerjoin(resources, (resources.c.owner_server == servers.c.id) & (resources.c.kind == "Agent"))
    .where(servers.c.expires_at > _NOW)
    .group_by(servers.c.id, servers.c.executors)
)
_NOBODYS = (resources.c.kind == "Agent") & resources.c.owner_server.is_(None)
_TARGET = func.coalesce(JsonText(resources.c.status, literal("target")), DEFAULT_TARGET)
_PLACED = JsonText(resources.c.status, literal("executor")) + "/" + _TARGET
"""Where an agent is, as `Placement.key`."""


class SqlLeases(Leases):
    """Of one server. ``alone``: no other can be alive, as on a file that is locked."""

    def __init__(self, server: str, run: Run, writer: Writer, *, alone: bool) -> None:
        self._server = server
        self._run = run
        self._writer = writer
        self._alone = alone
        self._met = False

    @property
    def server(self) -> str:
        return self._server

    @property
    def alone(self) -> bool:
        return self._alone

    async def beat(self, targets: Collection[str], *, ttl: float) -> Mapping[str, Living]:
        having = json.dumps(sorted(targets))
        async with self._writer.transaction() as transaction:
            this = {"this_server": self._server, "ttl": int(ttl * 1_000_000), "having": having}
            if not await transaction.run(_RENEW, this):
                await self._enter(transaction.run, having, ttl)
            await self._bury(transaction.run)
            rows = await transaction.run(_LIVING)
        return {server: Living(server, frozenset(json.loads(names)), agents) for server, names, agents in rows}

    async def _enter(self, run: Run, having: str, ttl: float) -> None:
        """Be known; at the first time free what is of servers that nobody knows, as in a restored backup."""
        if self._alone:
            await run(delete(servers))
        expiry = _NOW + literal(int(ttl * 1_000_000), BigInteger)
        await run(insert(servers).values(id=self._server, executors=having, expires_at=expiry))
        if not self._met:
            await run(update(resources).where(_UNKNOWN).values(_FREE))
            self._met = True

    async def _bury(self, run: Run) -> None:
        dead = [row[0] for row in await run(_DEAD, {"this_server": self._server})]
        if dead:
            await run(update(resources).where(resources.c.owner_server.in_(dead)).values(_FREE))
            await run(delete(servers).where(servers.c.id.in_(dead)))

    async def claim(self, *, but: Collection[str], limit: int) -> Sequence[str]:
        wanted = [_NOBODYS]
        if but:
            wanted.append(_PLACED.is_(None) | _PLACED.not_in(list(but)))
        found = select(resources.c.uid).where(*wanted).limit(limit)
        if not await self._run(found.limit(1)):  # most often; and then nobody waits for the lock of writers
            return ()
        mine = {"owner_server": self._server, "fence": resources.c.fence + 1}
        async with self._writer.transaction() as transaction:
            claimed = update(resources).where(resources.c.uid.in_(found)).values(mine).returning(resources.c.uid)
            return [row[0] for row in await transaction.run(claimed)]

    async def take(self, kind: str, uid: str) -> bool:
        this = (resources.c.kind == kind) & (resources.c.uid == uid)
        if await self._run(select(resources.c.uid).where(this, resources.c.owner_server == self._server)):
            return True
        mine = {"owner_server": self._server, "fence": resources.c.fence + 1}
        taken = update(resources).where(this, resources.c.owner_server.is_(None)).values(mine)
        async with self._writer.transaction() as transaction:
            return bool(await transaction.run(taken.returning(resources.c.uid)))

    async def give_up(self, kind: str, uids: Collection[str]) -> None:
        own = resources.c.kind == kind, resources.c.owner_server == self._server, resources.c.uid.in_(list(uids))
        async with self._writer.transaction() as transaction:
            await transaction.run(update(resources).where(*own).values(_FREE))

    async def leave(self) -> None:
        async with self._writer.transaction() as transaction:
            await transaction.run(update(resources).where(resources.c.owner_server == self._server).values(_FREE))
            await transaction.run(delete(servers).where(servers.c.id == self._server))
