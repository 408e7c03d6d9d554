"""Binding secrets to an agent: whoever refers to one must own it and be allowed to use it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sac_core.contracts.store import Record, Scope, Store, Unit
from sac_core.errors import InvalidError, NotFoundError, UnsupportedError
from sac_core.models.agent import Agent
from sac_core.models.secret_use import BoundSecret, SecretUse
from sac_core.models.workspace import Clone, GitSource
from sac_core.service.resources import allow
from sac_core.service.services import EVERYWHERE

USE = "secrets:use"


async def bind_secrets(
    unit: Unit, scope: Scope, agent: Agent, before: tuple[BoundSecret, ...], *, files: bool
) -> tuple[BoundSecret, ...]:
    """What an agent's spec refers to, with the owners; a reference that was there ``before`` keeps its own.

    Raises `InvalidError` that names the field when there is no such secret or key, also when it is another's;
    `UnsupportedError` when the executor delivers no ``files``.
    """
    known = {_plain(bound): bound for bound in before}
    bound = []
    for number, use in enumerate(agent.spec.secrets):
        field = f"spec.secrets.{number}"
        if use.file is not None and not files:
            raise UnsupportedError("this executor delivers no files", field=f"{field}.file", hint="use env instead")
        bound.append(known.get(use) or await _allowed(unit, scope, use, field))
    return tuple(bound)


async def bind_login(unit: Unit, scope: Scope, git: GitSource, before: Clone | None) -> Clone:
    """What is to be cloned, with the owner of its secret; another address or secret is another reference."""
    if git.secret is None:
        return Clone(**git.model_dump())
    if before is not None and (before.url, before.secret) == (git.url, git.secret):
        return Clone(**git.model_dump(), owner=before.owner)
    allow(scope, USE)
    record = await _found(unit, scope, git.secret, "spec.workspace.git.secret")
    keys = record.status["keys"]
    if len(keys) > 1 and "password" not in keys:
        raise InvalidError(
            f"secret {git.secret!r} has several keys, and none is 'password'",
            field="spec.workspace.git.secret",
            hint=f"it has: {', '.join(keys)}",
        )
    return Clone(**git.model_dump(), owner=record.owner)


async def _allowed(unit: Unit, scope: Scope, use: SecretUse, field: str) -> BoundSecret:
    allow(scope, USE)
    record = await _found(unit, scope, use.name, f"{field}.name")
    keys = record.status["keys"]
    if use.key is None and len(keys) > 1:
        raise InvalidError("this secret has several keys", field=f"{field}.key", hint=f"say one: {', '.join(keys)}")
    if use.key is not None and use.key not in keys:
        raise InvalidError(
            f"secret {use.name!r} has no key {use.key!r}", field=f"{field}.key", hint=f"it has: {', '.join(keys)}"
        )
    return BoundSecret(**use.model_dump(), owner=record.owner)


async def _found(unit: Unit, scope: Scope, name: str, field: str) -> Record:
    try:
        record = await unit.get("Secret", name)
    except NotFoundError:
        record = None
    if record is None or record.owner != scope.principal.id:
        raise InvalidError(
            f"there is no secret {name!r}",
            reason="SecretNotFound",
            field=field,
            hint=f"keep it first: sac secrets put {name}",
        )
    return record


async def users_of(store: Store, secrets: Collection[tuple[str, str]]) -> list[str]:
    """The uids of the agents that use one of these secrets, given by tenant and name."""
    agents = await store.read(EVERYWHERE).list("Agent")
    return [record.uid for record in agents.items if any((record.tenant, name) in secrets for name in _names(record))]


def _names(record: Record) -> Iterator[str]:
    return (use["name"] for use in (record.launch or {}).get("binding", {}).get("secrets", ()))


def _plain(bound: BoundSecret) -> SecretUse:
    return SecretUse(**bound.model_dump(exclude={"owner"}))
