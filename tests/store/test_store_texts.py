"""A text that a database does not take is refused with its field, or replaced; it never hides the rows of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sac_core.contracts.causes import About
from sac_core.contracts.store import EVERYWHERE, Query, Record, Requirement, Store
from sac_core.errors import InvalidError
from sac_core.models.cause import Cause
from sac_core.store.texts import without_unfit

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def record(name: str, **fields: Any) -> Record:
    plain: dict[str, Any] = {"spec": {"runtime": "shell"}, "status": {}, "labels": {}, "meta": {}}
    return Record(kind="Agent", tenant="default", name=name, uid=f"uid-{name}", owner="user:ann", **(plain | fields))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"spec": {"a": [{"b": "x\0y"}]}}, "spec.a.0.b"),
        ({"spec": {"a": "\ud800"}}, "spec.a"),
        ({"spec": {"a\0": "x"}}, "spec"),
        ({"meta": {"annotations": {"a": "\udfff"}}}, "metadata.annotations.a"),
        ({"labels": {"a": "\0"}}, "metadata.labels.a"),
    ],
)
async def test_what_is_asked_for_is_refused_by_its_field(store: Store, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        async with store.transaction(EVERYWHERE) as unit:
            await unit.insert(record("a1", **fields))
    assert caught.value.field == field
    assert (await store.read(EVERYWHERE).list("Agent")).items == ()


async def test_what_was_seen_is_kept_and_everything_is_found(store: Store) -> None:
    async with store.transaction(EVERYWHERE) as unit:
        kept = await unit.insert(record("a1", status={"phase": "Failed", "message": "x\0\ud800😀"}))
        await unit.insert(record("a2", spec={"runtime": "shell", "text": r"\u0000 and \ud800 are only words 😀"}))
    for key, value in (("status.phase", "Failed"), ("spec.runtime", "shell")):
        page = await store.read(EVERYWHERE).list("Agent", Query(fields=(Requirement(key, "=", (value,)),)))
        assert page.items
    found = await store.read(EVERYWHERE).by_uid("Agent", kept.uid)
    assert found.status["message"] == "x\ufffd\ufffd😀"
    changes = await store.changes(EVERYWHERE, 0)
    assert [change.object.status.get("message") for change in changes] == [found.status["message"], None]
    assert changes[1].object.spec["text"] == r"\u0000 and \ud800 are only words 😀"
    async with store.transaction(EVERYWHERE) as unit:
        await unit.update(replace(found, status={**found.status, "reason": "\0"}))


async def test_a_timeline_takes_what_a_backend_says(store: Store) -> None:
    cause = Cause(seq=1, kind="backend", actor="x", text="a\0b", at=NOW, last_at=NOW)
    async with store.transaction(EVERYWHERE) as unit:
        await unit.insert(record("a1"))
        await unit.causes.add(About("default", "a1", "uid-a1"), "backend/x", cause)
    assert (await store.causes(EVERYWHERE).timeline("a1")).items[0].text == "a\ufffdb"


def test_nothing_else_is_changed() -> None:
    value = {"a": [1, 2.5, None, True, "é😀"], "b": {"c": "\\u0000"}}
    assert without_unfit(value) == value
