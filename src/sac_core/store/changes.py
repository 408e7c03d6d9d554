"""Committed changes in order, and forgetting old ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, select, true, update

from sac_core.contracts.store import Record, Scope
from sac_core.errors import ExpiredError
from sac_core.models.change import Change
from sac_core.store.connection import Run, Writer
from sac_core.store.records import from_change
from sac_core.store.scope import within
from sac_core.store.tables import changes, counter

_PRUNE_BATCH = 5000
"""Rows forgotten in one transaction, so that writers never wait long."""


async def changes_after(
    run: Run, scope: Scope, since: int, *, kinds: Sequence[str], limit: int
) -> list[Change[Record]]:
    """See `Store.changes`."""
    rows = await run(following(scope, since, kinds, limit))
    newest, pruned = rows[0][:2]
    if since < pruned:
        raise ExpiredError(f"changes up to version {pruned} are no longer kept", hint="list again and watch from there")
    if since > newest:
        raise ExpiredError(
            f"version {since} is newer than the database's, {newest}: it was restored from a backup",
            hint="list again and watch from there",
        )
    found = [Change(verb, version, from_change(text)) for _, _, version, verb, text in rows if version is not None]
    return sorted(found, key=lambda change: change.version)  # a join promises no order


def following(scope: Scope, since: int, kinds: Sequence[str], limit: int) -> Select[Any]:
    """One read of the counter and of what follows; without new changes it is one row of the counter alone."""
    new = select(changes.c.rv.label("version"), changes.c.verb, changes.c.object)
    new = new.where(changes.c.rv > since, *within(scope, changes.c.tenant))
    if kinds:
        new = new.where(changes.c.kind.in_(kinds))
    part = new.order_by(changes.c.rv).limit(max(limit, 1)).subquery("part")
    return select(counter.c.rv, counter.c.pruned, part).select_from(counter.outerjoin(part, true()))


async def prune_changes(writer: Writer, *, keep: int) -> None:
    """Forget all but the newest ``keep``."""
    boundary = select(changes.c.rv).order_by(changes.c.rv.desc()).offset(max(keep, 0)).limit(1).scalar_subquery()
    batch = select(changes.c.rv).where(changes.c.rv <= boundary).order_by(changes.c.rv).limit(_PRUNE_BATCH).subquery()
    while True:
        async with writer.transaction() as transaction:
            last, count = (await transaction.run(select(func.max(batch.c.rv), func.count()).select_from(batch)))[0]
            if count:
                await transaction.run(delete(changes).where(changes.c.rv <= last))
                await transaction.run(update(counter).values(pruned=last))
        if count < _PRUNE_BATCH:
            return
