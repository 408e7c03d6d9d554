"""The sealed values of secrets, beside their rows."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from sac_core.contracts.store import Record, Scope, SealedValue
from sac_core.errors import NotFoundError
from sac_core.store.connection import Run
from sac_core.store.scope import scoped
from sac_core.store.tables import secret_values

_THIS = secret_values.c.uid == bindparam("this_uid")
_READ = scoped(select(secret_values.c.version, secret_values.c.sealed).where(_THIS), secret_values.c.tenant)
_FORGET = scoped(delete(secret_values).where(_THIS), secret_values.c.tenant)


async def read_value(run: Run, scope: Scope, record: Record) -> SealedValue:
    """See `Reader.sealed`."""
    rows = await run(_READ.of(scope), {"this_uid": record.uid, **_READ.parameters(scope)})
    if not rows:
        raise NotFoundError(f"{record.kind} {record.name!r} has no value")
    return SealedValue(*rows[0])


async def write_value(run: Run, scope: Scope, record: Record, value: SealedValue) -> None:
    """See `Unit.keep_sealed`."""
    await forget_value(run, scope, record)
    row = {"uid": record.uid, "tenant": record.tenant, "version": value.version, "sealed": value.sealed}
    await run(insert(secret_values), row)


async def forget_value(run: Run, scope: Scope, record: Record) -> None:
    """Remove the value of a record, if it has one."""
    await run(_FORGET.of(scope), {"this_uid": record.uid, **_FORGET.parameters(scope)})
