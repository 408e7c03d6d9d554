"""Secrets through the one surface, embedded and over HTTP: written, listed, replaced, deleted, never shown."""

from __future__ import annotations

import hashlib
import os
from contextlib import aclosing
from typing import Any

import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError
from sac_core.models.change import Change, Synced
from sac_core.models.secret import LARGEST


def digits(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[-4:]


async def test_a_secret_is_written_and_only_described(sac: Sac) -> None:
    made = await sac.secrets.put("token", "canary-one", labels={"app": "demo"})
    assert (made.metadata.name, made.status.version, made.status.keys) == ("token", 1, ("value",))
    assert made.status.last4 == {"value": digits(b"canary-one")}
    assert made.spec.data is None
    for shown in (made, await sac.secrets.get("token"), (await sac.secrets.list()).items[0]):
        assert shown == made
        assert "canary" not in str(shown.to_wire())
    binary = os.urandom(1000)
    again = await sac.secrets.put("token", {"a": binary, "b": "text"})
    assert (again.metadata.uid, again.status.version) == (made.metadata.uid, 2)
    assert again.status.last4 == {"a": digits(binary), "b": digits(b"text")}
    await sac.secrets.delete("token")
    with pytest.raises(NotFoundError):
        await sac.secrets.get("token")
    assert (await sac.secrets.put("token", "x")).metadata.uid != made.metadata.uid


async def test_watchers_are_told_of_secrets_but_not_what_they_are(sac: Sac) -> None:
    seen: list[Any] = []
    async with aclosing(sac.watch(kinds=["Secret"])) as changes:  # type: ignore[type-var]
        async for change in changes:
            seen.append(change)
            if isinstance(change, Synced):
                await sac.secrets.put("token", "canary-one")
                await sac.secrets.put("token", "canary-two")
                await sac.secrets.delete("token")
            elif change.verb == "DELETED":
                break
    told = [(one.verb, one.object.status.version) for one in seen if isinstance(one, Change)]
    assert told == [("ADDED", 1), ("MODIFIED", 2), ("DELETED", 2)]
    assert "canary" not in repr(seen)


async def test_a_replacement_without_a_value_keeps_it(sac: Sac) -> None:
    made = await sac.secrets.put("token", "canary")
    document = {"metadata": {"name": "token", "labels": {"a": "b"}}, "spec": {"type": "opaque"}}
    changed = await sac.secrets.replace_from("token", document)
    assert (changed.metadata.labels, changed.status) == ({"a": "b"}, made.status)
    with pytest.raises(InvalidError) as caught:
        await sac.secrets.replace_from("token", {"spec": {"type": "basic-auth"}})
    assert caught.value.field == "spec.type"
    old = made.metadata.resource_version
    with pytest.raises(ConflictError):
        await sac.secrets.replace_from("token", {"spec": {"data": {"value": "x"}}}, resource_version=old)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "spec.data"),
        ({"data": {}}, "spec.data"),
        ({"type": "nosuch", "data": {"value": "canary"}}, "spec.type"),
        ({"type": "basic-auth", "data": {"value": "canary"}}, "spec"),
        ({"data": {"../etc": "canary"}}, "spec.data.../etc.[key]"),
        ({"data": {"value": {"base64": "canary!"}}}, "spec.data.value"),
        ({"data": {"value": "canary" * LARGEST}}, "spec.data"),
        ({"value": "canary"}, "spec.value"),
    ],
)
async def test_bad_input_is_told_without_the_value(sac: Sac, spec: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await sac.secrets.create_from({"metadata": {"name": "token"}, "spec": spec})
    if spec.get("data", {}).get("value") != "canary" * LARGEST:  # over HTTP the body is too large before that
        assert caught.value.field == field
    assert "canary" not in str(caught.value)
    assert (await sac.secrets.list()).items == ()


async def test_the_same_key_makes_one_secret(sac: Sac) -> None:
    document = {"metadata": {"name": "token"}, "spec": {"data": {"value": "canary"}}}
    made = await sac.secrets.create_from(document, idempotency_key="k")
    assert (await sac.secrets.create_from(document, idempotency_key="k")).metadata.uid == made.metadata.uid
    other = {"metadata": {"name": "token"}, "spec": {"data": {"value": "other"}}}
    with pytest.raises(ConflictError):
        await sac.secrets.create_from(other, idempotency_key="k")
    with pytest.raises(ConflictError):
        await sac.secrets.create_from(other)


async def test_a_secret_has_no_patch(sac: Sac) -> None:
    await sac.secrets.put("token", "x")
    with pytest.raises((UnsupportedError, InvalidError)):
        await sac.secrets.patch("token", {"metadata": {"labels": {"a": "b"}}})
