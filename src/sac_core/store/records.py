"""Rows, and the text of changes, to records and back. Times are microseconds since 1970 in UTC, JSON is text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sac_core.contracts.store import Record
from sac_core.errors import InvalidError
from sac_core.store.texts import refuse_unfit, suspicious, without_unfit

FIELDS = tuple(field.name for field in fields(Record))

_DECLARED = {"spec": "spec", "labels": "metadata.labels", "meta": "metadata"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime | None) -> int | None:
    """A moment as it is stored; exact, where a float of seconds is not."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int | None) -> datetime | None:
    """A stored moment, in UTC."""
    return None if micros is None else _EPOCH + micros * _MICROSECOND


def to_text(value: Any) -> str:
    """JSON as it is stored; raises `InvalidError` for numbers that JSON does not have."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise InvalidError("a number is not finite", hint="JSON has no NaN and no Infinity") from None


def to_row(record: Record) -> dict[str, Any]:
    """The columns of a record."""
    row = {name: getattr(record, name) for name in FIELDS}
    for name, field in _DECLARED.items():
        row[name] = _declared(row[name], field)
    row["status"] = _seen(row["status"])
    for name in ("created_at", "deleted_at", "deadline"):
        row[name] = to_micros(row[name])
    row["launch"] = None if record.launch is None else _seen(record.launch)
    return row


def _declared(value: Any, field: str) -> str:
    """What somebody asks for: refused when it cannot be stored."""
    text = to_text(value)
    if suspicious(text):
        refuse_unfit(value, field)
    return text


def _seen(value: Any) -> str:
    """What was seen: stored as far as that is possible."""
    text = to_text(value)
    return to_text(without_unfit(value)) if suspicious(text) else text


def from_row(row: Iterable[Any]) -> Record:
    """A record of columns in the order of its fields."""
    (kind, tenant, name, uid, owner, spec, status, labels, meta, generation, version,
     created, deleted, launch, deadline, server, fence) = row  # fmt: skip
    load = json.loads
    return Record(
        kind, tenant, name, uid, owner, load(spec), load(status), load(labels), load(meta), generation, version,
        from_micros(created), from_micros(deleted), None if launch is None else load(launch),
        from_micros(deadline), server, fence,
    )  # fmt: skip


def to_change(record: Record) -> str:
    """A record as the text that `changes` keeps."""
    row = {name: getattr(record, name) for name in FIELDS}
    for name in ("created_at", "deleted_at", "deadline"):
        row[name] = to_micros(row[name])
    return _seen(row)


def from_change(text: str) -> Record:
    """The record of a change's text."""
    row = json.loads(text)
    for name in ("created_at", "deleted_at", "deadline"):
        row[name] = from_micros(row[name])
    return Record(**row)
