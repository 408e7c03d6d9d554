"""Timelines: causes of agents, numbered per agent, in order of the last time that each happened."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update

from sac_core.contracts.causes import About, CauseWriter, Known
from sac_core.contracts.store import Scope
from sac_core.errors import NotFoundError
from sac_core.models.cause import Cause, Timeline
from sac_core.store.connection import Run, Writer
from sac_core.store.records import from_micros, to_micros, to_text
from sac_core.store.scope import within
from sac_core.store.tables import causes, counter
from sac_core.store.texts import without_unfit

_PRUNE_BATCH: Final = 5000
_IN_ORDER: Final = (causes.c.last_at, causes.c.seq)
_OF_UID: Final = causes.c.uid == bindparam("of_uid")
_OF_SEQ: Final = causes.c.seq == bindparam("of_seq")
_KNOWN: Final = select(causes.c.seq, causes.c.key, causes.c.because, causes.c.times).where(_OF_UID).order_by(*_IN_ORDER)
_WHOLE: Final = select(causes).where(_OF_UID).order_by(*_IN_ORDER)
_RECOUNT: Final = update(causes).where(_OF_UID, _OF_SEQ)
_HOLD: Final = update(counter).values(rv=counter.c.rv)
"""Changes nothing, and takes the lock that every unit takes with its first write of a declared thing."""


class SqlCauses(CauseWriter):
    """Through ``run``: each read by itself, or all in one transaction."""

    def __init__(self, run: Run, scope: Scope) -> None:
        self._run = run
        self._scope = scope

    async def timeline(self, name: str) -> Timeline:
        named = or_(causes.c.uid == name, causes.c.agent == name)
        newest_first = (causes.c.uid == name).desc(), causes.c.last_at.desc()
        found = await self._run(select(causes.c.uid).where(named, *self._within()).order_by(*newest_first).limit(1))
        if not found:
            raise NotFoundError(f"nothing is remembered of an agent {name!r}", hint="give its name or its uid")
        rows = await self._run(_WHOLE, {"of_uid": found[0][0]})
        about = rows[0]._mapping
        items = tuple(_cause(row._mapping) for row in rows)
        return Timeline(agent=about["agent"], namespace=about["tenant"], uid=about["uid"], items=items)

    async def newest_key(self, uid: str, prefix: str) -> str | None:
        matching = causes.c.uid == uid, causes.c.key.startswith(prefix, autoescape=True), *self._within()
        newest_first = causes.c.last_at.desc(), causes.c.seq.desc()
        rows = await self._run(select(causes.c.key).where(*matching).order_by(*newest_first).limit(1))
        return rows[0][0] if rows else None

    async def hold(self) -> None:
        await self._run(_HOLD)

    async def known(self, uid: str) -> list[Known]:
        return [Known(*row) for row in await self._run(_KNOWN, {"of_uid": uid})]

    async def add(self, about: About, key: str, cause: Cause) -> None:
        place = {"uid": about.uid, "tenant": about.tenant, "agent": about.agent, "key": key}
        fixed = {"seq": cause.seq, "actor": cause.actor, "at": to_micros(cause.at), "because": cause.because}
        await self._run(insert(causes), {**place, **fixed, **_counted(cause)})

    async def recount(self, uid: str, cause: Cause) -> None:
        await self._run(_RECOUNT, {"of_uid": uid, "of_seq": cause.seq, **_counted(cause)})

    async def forget(self, uid: str, seqs: list[int]) -> None:
        await self._run(delete(causes).where(causes.c.uid == uid, causes.c.seq.in_(seqs)))

    def _within(self) -> list[ColumnElement[bool]]:
        return within(self._scope, causes.c.tenant)


async def prune_causes(writer: Writer, since: datetime) -> None:
    """Forget what happened last before ``since``."""
    aged = select(causes.c.last_at).where(causes.c.last_at < to_micros(since)).order_by(causes.c.last_at)
    batch = aged.limit(_PRUNE_BATCH).subquery()
    while True:
        async with writer.transaction() as transaction:
            last, count = (await transaction.run(select(func.max(batch.c.last_at), func.count()).select_from(batch)))[0]
            if count:
                await transaction.run(delete(causes).where(causes.c.last_at <= last))
        if count < _PRUNE_BATCH:
            return


def _counted(cause: Cause) -> dict[str, Any]:
    """What changes when a cause happens again."""
    return {
        "last_at": to_micros(cause.last_at),
        "times": cause.count,
        "text": without_unfit(cause.text),
        "details": to_text(cause.details),
    }


def _cause(row: Any) -> Cause:
    plain = {name: row[name] for name in ("seq", "actor", "text", "because")}
    times = {"at": from_micros(row["at"]), "last_at": from_micros(row["last_at"]), "count": row["times"]}
    kind = row["key"].partition("/")[0]
    return Cause.model_validate({**plain, **times, "kind": kind, "details": json.loads(row["details"])})
