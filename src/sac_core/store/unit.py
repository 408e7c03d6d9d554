"""A unit of work: reads and compare-and-set writes in one transaction, each write told in `changes`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql

from sac_core.contracts.store import Reader, Record, Scope, SealedValue, Unit
from sac_core.errors import ConflictError, ForbiddenError, InvalidError
from sac_core.models.change import ChangeVerb
from sac_core.store.connection import Run
from sac_core.store.reader import SqlReader
from sac_core.store.records import to_change, to_micros, to_row
from sac_core.store.room import Room
from sac_core.store.scope import scoped
from sac_core.store.secret_values import forget_value, write_value
from sac_core.store.tables import changes, counter, labels, resources

_FIXED = ("kind", "tenant", "name", "uid", "created_at")
_ADVANCE = update(counter).values(rv=counter.c.rv + 1).returning(counter.c.rv)
_WRITE = scoped(
    update(resources)
    .where(
        resources.c.kind == bindparam("this_kind"),
        resources.c.uid == bindparam("this_uid"),
        resources.c.resource_version == bindparam("read_version"),
        resources.c.fence == bindparam("read_fence"),
    )
    .returning(resources.c.uid),
    resources.c.tenant,
)
_DEFER = scoped(update(resources).where(resources.c.uid == bindparam("this_uid")), resources.c.tenant)
_REMOVE = scoped(delete(resources).where(resources.c.uid == bindparam("this_uid")), resources.c.tenant)
_UNLABEL = scoped(delete(labels).where(labels.c.uid == bindparam("this_uid")), labels.c.tenant)
# Of PostgreSQL's dialect, and SQLite's compiler knows it too. An error would end PostgreSQL's transaction.
_ADD = postgresql.insert(resources).on_conflict_do_nothing().returning(resources.c.uid)
_NAMED = select(resources.c.uid).where(
    resources.c.kind == bindparam("kind"),
    resources.c.tenant == bindparam("tenant"),
    resources.c.name == bindparam("name"),
)


class SqlUnit(SqlReader, Unit):
    """A unit of work on an open transaction. ``written`` is its newest version, 0 while it has written nothing."""

    def __init__(self, run: Run, scope: Scope, clock: Callable[[], datetime], room: Room) -> None:
        super().__init__(run, scope)
        self._room = room
        self._clock = clock
        self.written = 0

    def reading(self, scope: Scope) -> Reader:
        return SqlReader(self._run, scope)

    async def insert(self, record: Record) -> Record:
        if not self._scope.everywhere and record.tenant != self._scope.tenant:
            raise ForbiddenError(f"tenant {record.tenant!r} is not the caller's", field="namespace")
        self._room.check()
        created, version = record.created_at or self._clock(), await self._next_version()
        record = replace(record, created_at=created, resource_version=version)
        await self._add(record)
        await self._label(record)
        await self._tell("ADDED", record)
        return record

    async def update(self, record: Record) -> Record:
        stored = await self._stored(record)
        if (stored.tenant, stored.name) != (record.tenant, record.name):
            raise InvalidError("a name never changes", field="metadata.name", hint="create another and delete this one")
        record = replace(record, created_at=stored.created_at, resource_version=await self._next_version())
        await self._write(stored, record)
        if record.labels != stored.labels:
            await self._unlabel(stored)
            await self._label(record)
        await self._tell("MODIFIED", record)
        return record

    async def keep_sealed(self, record: Record, value: SealedValue) -> None:
        await write_value(self._run, self._scope, record, value)

    async def defer(self, record: Record, deadline: datetime | None) -> None:
        await self._run(
            _DEFER.of(self._scope),
            {"this_uid": record.uid, "deadline": to_micros(deadline), **_DEFER.parameters(self._scope)},
        )

    async def remove(self, record: Record) -> None:
        stored = await self._stored(record)
        gone = replace(stored, resource_version=await self._next_version())
        await self._run(_REMOVE.of(self._scope), {"this_uid": record.uid, **_REMOVE.parameters(self._scope)})
        await self._unlabel(stored)
        await forget_value(self._run, self._scope, stored)
        await self._tell("DELETED", gone)

    async def _stored(self, record: Record) -> Record:
        """What is stored now, if it is what the caller has read."""
        stored = await self.by_uid(record.kind, record.uid)
        if stored.resource_version != record.resource_version or stored.fence != record.fence:
            raise _stale(stored)
        return stored

    async def _add(self, record: Record) -> None:
        if not await self._run(_ADD, to_row(record)):
            raise await self._taken(record)

    async def _taken(self, record: Record) -> ConflictError:
        """Which of the two was taken: the name, or else the uid."""
        named = {"kind": record.kind, "tenant": record.tenant, "name": record.name}
        if await self._run(_NAMED, named):
            return _exists(f"{record.kind} {record.name!r} exists already", "metadata.name")
        return _exists(f"the uid of {record.kind} {record.name!r} is in use", "metadata.uid")

    async def _next_version(self) -> int:
        version: int = (await self._run(_ADVANCE))[0][0]
        self.written = version
        return version

    async def _write(self, stored: Record, record: Record) -> None:
        values = {name: value for name, value in to_row(record).items() if name not in _FIXED}
        this = {"this_kind": stored.kind, "this_uid": stored.uid}
        read = {"read_version": stored.resource_version, "read_fence": stored.fence}
        if not await self._run(_WRITE.of(self._scope), {**values, **this, **read, **_WRITE.parameters(self._scope)}):
            raise _stale(stored)

    async def _label(self, record: Record) -> None:
        about = {"kind": record.kind, "tenant": record.tenant, "name": record.name, "uid": record.uid}
        rows = [{**about, "key": key, "value": value} for key, value in record.labels.items()]
        if rows:
            await self._run(insert(labels), rows)

    async def _unlabel(self, stored: Record) -> None:
        if stored.labels:
            await self._run(_UNLABEL.of(self._scope), {"this_uid": stored.uid, **_UNLABEL.parameters(self._scope)})

    async def _tell(self, verb: ChangeVerb, record: Record) -> None:
        about = {"kind": record.kind, "tenant": record.tenant, "name": record.name, "uid": record.uid}
        row = {**about, "rv": record.resource_version, "verb": verb, "object": to_change(record)}
        await self._run(insert(changes), row)


def _stale(stored: Record) -> ConflictError:
    return ConflictError(
        f"{stored.kind} {stored.name!r} was changed since it was read",
        field="metadata.resourceVersion",
        current=str(stored.resource_version),
        hint="read it again and repeat the change",
    )


def _exists(message: str, field: str) -> ConflictError:
    return ConflictError(
        message, reason="AlreadyExists", field=field, hint="choose another name, or change the one there is"
    )
