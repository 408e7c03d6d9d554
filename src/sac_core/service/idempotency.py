"""Idempotency keys of creates: the same key again within a day returns the first one's result, never a second thing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sac_core.contracts.store import Record, Scope, Store
from sac_core.errors import ConflictError, InvalidError, NotFoundError

_TTL = 86400.0
_LONGEST = 255


async def claim(
    store: Store, scope: Scope, key: str, record: Record, document: Mapping[str, Any]
) -> tuple[Record, Record | None]:
    """The record to insert, and what an earlier request with this key made, if it got that far.

    Raises `ConflictError` when the key was used for another document.
    """
    if not 0 < len(key) <= _LONGEST:
        raise InvalidError(f"a key has 1 to {_LONGEST} characters", field="Idempotency-Key")
    digest = _digest(json.dumps(document, sort_keys=True, default=str))
    place = _place(scope, key, record)
    state = store.state("sac")
    try:
        await state.put(place, {"document": digest, "uid": record.uid, "name": record.name}, expected=0, ttl=_TTL)
        return record, None
    except ConflictError:
        entry = await state.get(place)
    if entry is None or entry.value["document"] != digest:
        raise ConflictError(
            "this key was used for another request", field="Idempotency-Key", hint="use a new key for a new request"
        )
    try:
        return record, await store.read(scope).by_uid(record.kind, entry.value["uid"])
    except NotFoundError:
        if entry.value.get("done"):
            raise ConflictError(
                f"what this key made, {entry.value['name']!r}, has been deleted",
                field="Idempotency-Key",
                hint="use a new key for a new request",
            ) from None
        # claimed, then interrupted before the insert
        return replace(record, uid=entry.value["uid"], name=entry.value["name"]), None


async def done(store: Store, scope: Scope, key: str, record: Record) -> None:
    """Remember that the key's thing was made: once it is deleted, the key makes no second one with the same uid."""
    state, place = store.state("sac"), _place(scope, key, record)
    entry = await state.get(place)
    if entry is not None:
        await state.put(place, {**entry.value, "done": True}, ttl=_TTL)


def _place(scope: Scope, key: str, record: Record) -> str:
    return f"idempotency/{_digest(f'{scope.tenant}/{scope.principal.id}/{record.kind}/{key}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
