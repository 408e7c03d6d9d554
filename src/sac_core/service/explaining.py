"""Writes notes into a timeline: finds what caused each, and counts what happened before instead of repeating it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sac_core.contracts.causes import About, Known
from sac_core.contracts.store import Record, Unit
from sac_core.models.agent import Agent
from sac_core.models.cause import Cause, CauseKind
from sac_core.service.notes import ASKED, Note

PER_AGENT = 200
"""Causes that are kept of one agent; the oldest go first."""

_ONLY_THE_LAST = ("request/", "server/")
"""Kinds that are counted only when nothing else happened in between."""


def about(agent: Agent) -> About:
    """An agent, as its causes name it."""
    return About(agent.metadata.namespace, agent.metadata.name, agent.metadata.uid)


def about_record(record: Record) -> About:
    """An agent's row, as its causes name it."""
    return About(record.tenant, record.name, record.uid)


def about_session(record: Record) -> About:
    """A session's agent, as its causes name it."""
    return About(record.tenant, str(record.spec.get("agent", "")), str(record.status.get("agentUid", "")))


async def explain(unit: Unit, agent: About, notes: Sequence[Note], now: datetime) -> None:
    """Add notes in their order, in the unit that writes what they explain."""
    if not notes:
        return
    known = await unit.causes.known(agent.uid)
    for number, note in enumerate(notes):
        moment = now + timedelta(microseconds=number)  # their order is that of their times
        await _add(unit, agent, known, note, moment)
    if len(known) > PER_AGENT:
        await unit.causes.forget(agent.uid, [each.seq for each in known[:-PER_AGENT]])


async def _add(unit: Unit, agent: About, known: list[Known], note: Note, now: datetime) -> None:
    because = _newest(known, note.after)
    equal = _equal(known, note, because)
    if equal is None:
        fresh = Known(max((each.seq for each in known), default=0) + 1, note.key, because, note.times)
        known.append(fresh)
        await unit.causes.add(agent, note.key, _cause(fresh, note, now))
    else:
        known.remove(equal)
        known.append(equal._replace(times=equal.times + note.times))
        await unit.causes.recount(agent.uid, _cause(known[-1], note, now))


def _newest(known: list[Known], after: tuple[str, ...]) -> int | None:
    if not after:
        return None
    return next((each.seq for each in reversed(known) if each.key.startswith(after)), None)


def _equal(known: list[Known], note: Note, because: int | None) -> Known | None:
    """The same, for the same cause, since somebody last asked for something: a crash loop is few causes, counted."""
    for each in reversed(known):
        if (each.key, each.because) == (note.key, because):
            return each
        if each.key.startswith(ASKED) or note.key.startswith(_ONLY_THE_LAST):
            return None
    return None


def _cause(known: Known, note: Note, now: datetime) -> Cause:
    return Cause(
        seq=known.seq,
        kind=cast("CauseKind", known.key.partition("/")[0]),
        actor=note.actor,
        text=note.text,
        at=now,
        last_at=now,
        count=known.times,
        because=known.because,
        details={name: value for name, value in note.details.items() if value not in (None, "", [])},
    )
