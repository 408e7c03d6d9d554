"""Reads of declared things in one scope."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from sac_core.contracts.store import ALL_RECORDS, Query, Reader, Record, Scope, SealedValue
from sac_core.errors import InvalidError, NotFoundError
from sac_core.models.change import Page
from sac_core.store.connection import Run
from sac_core.store.listing import RECORD, listing
from sac_core.store.pages import token_after
from sac_core.store.records import from_row
from sac_core.store.scope import scoped
from sac_core.store.secret_values import read_value
from sac_core.store.tables import resources

_KIND = resources.c.kind == bindparam("kind")
_BY_NAME = scoped(select(*RECORD).where(_KIND, resources.c.name == bindparam("name")).limit(2), resources.c.tenant)
_BY_UID = scoped(select(*RECORD).where(_KIND, resources.c.uid == bindparam("uid")), resources.c.tenant)


class SqlReader(Reader):
    """Reads through ``run``: each by itself, or all in one transaction."""

    def __init__(self, run: Run, scope: Scope) -> None:
        self._run = run
        self._scope = scope

    async def get(self, kind: str, name: str) -> Record:
        rows = await self._run(
            _BY_NAME.of(self._scope), {"kind": kind, "name": name, **_BY_NAME.parameters(self._scope)}
        )
        if not rows:
            raise missing(kind, name)
        if len(rows) > 1:
            raise InvalidError(f"{kind} {name!r} is in more than one tenant", field="namespace", hint="name the tenant")
        return from_row(rows[0])

    async def by_uid(self, kind: str, uid: str) -> Record:
        rows = await self._run(_BY_UID.of(self._scope), {"kind": kind, "uid": uid, **_BY_UID.parameters(self._scope)})
        if not rows:
            raise missing(kind, uid)
        return from_row(rows[0])

    async def list(self, kind: str, query: Query = ALL_RECORDS) -> Page[Record]:
        rows = await self._run(listing(self._scope, kind, query))
        records = [from_row(row[1:]) for row in rows if row[1] is not None]
        # A join promises no order; the page itself was cut in order.
        records.sort(key=_place)
        more = bool(query.limit) and len(records) > query.limit
        items = tuple(records[: query.limit] if more else records)
        return Page(items=items, version=rows[0][0], next=token_after(items[-1]) if more else None)

    async def sealed(self, record: Record) -> SealedValue:
        return await read_value(self._run, self._scope, record)


def missing(kind: str, name: str) -> NotFoundError:
    """There is no such thing in the caller's sight."""
    return NotFoundError(f"there is no {kind} {name!r}")


def _place(record: Record) -> Any:
    return record.tenant, record.name
