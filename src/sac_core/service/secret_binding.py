"""Binding secrets to an agent: whoever refers to one must own it and be allowed to use it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from sac_core.contracts.store import Record, Scope, Store, Unit
from sac_core.errors import InvalidError, NotFoundError, UnsupportedError
from sac_core.models.agent import Agent
from sac_core.models.secret_ref import SecretRef
from sac_core.models.secret_use import BoundSecret, SecretUse
from sac_core.models.workspace import Clone, GitSource
from sac_core.service.resources import allow
from sac_core.service.services import EVERYWHERE

USE = "secrets:use"


async def bind_secrets(
    unit: Unit,
    scope: Scope,
    agent: Agent,
    options: Mapping[str, SecretRef],
    own: Mapping[str, SecretUse],
    before: tuple[BoundSecret, ...],
    *,
    files: bool,
    takes: Mapping[str, str],
) -> tuple[BoundSecret, ...]:
    """What an agent's spec refers to, with the owners; what was there ``before`` keeps its own.

    ``options`` are those of the executor's options, ``own`` those of the runtime's, by their paths; ``takes`` says
    which of those is for the secrets of a type.

    Raises `InvalidError` that names the field when there is no such secret or key, also when it is another's;
    `UnsupportedError` when the executor delivers no ``files``.
    """
    known = {_plain(b): b.model_copy(update={"runtime_option": None}) for b in before if b.option is None}
    bound = []
    for number, use in enumerate(agent.spec.secrets):
        field = f"spec.secrets.{number}"
        if use.file is not None and not files:
            raise UnsupportedError("this executor delivers no files", field=f"{field}.file", hint="use env instead")
        bound.append(known.get(use) or await _allowed(unit, scope, use, field))
    for path, use in own.items():
        field = f"spec.runtimeOptions.{path}"
        found = known.get(use) or await _allowed(unit, scope, use, field, within=field)
        await _check_type(unit, found, path, takes)
        bound.append(found.model_copy(update={"runtime_option": path}))
    return (*bound, *[await _option(unit, scope, path, ref, before) for path, ref in options.items()])


async def _option(unit: Unit, scope: Scope, path: str, ref: SecretRef, before: tuple[BoundSecret, ...]) -> BoundSecret:
    for bound in before:
        if (bound.option, bound.name, bound.key) == (path, ref.secret, ref.key):
            return bound
    allow(scope, USE)
    field = f"spec.options.{path}"
    record = await _found(unit, scope, ref.secret, field)
    _check_key(record, ref.secret, ref.key, field)
    return BoundSecret(name=ref.secret, key=ref.key, option=path, owner=record.owner)


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


async def _allowed(unit: Unit, scope: Scope, use: SecretUse, field: str, *, within: str | None = None) -> BoundSecret:
    """A use that is allowed; an error names a part of ``field``, or ``within``, which has none."""
    allow(scope, USE)
    record = await _found(unit, scope, use.name, within or f"{field}.name")
    _check_key(record, use.name, use.key, within or f"{field}.key")
    return BoundSecret(**use.model_dump(), owner=record.owner)


async def _check_type(unit: Unit, bound: BoundSecret, path: str, takes: Mapping[str, str]) -> None:
    """A secret of a type that belongs into another option is refused."""
    with suppress(NotFoundError):  # one that was bound before may have gone
        type = (await unit.get("Secret", bound.name)).spec["type"]
        if takes.get(type, path) != path:
            field = f"spec.runtimeOptions.{path}"
            raise InvalidError(
                f"secret {bound.name!r} is of type {type}", field=field, hint=f"give it as {takes[type]}"
            )


def _check_key(record: Record, name: str, key: str | None, field: str) -> None:
    keys = record.status["keys"]
    if key is None and len(keys) > 1:
        raise InvalidError("this secret has several keys", field=field, hint=f"say one: {', '.join(keys)}")
    if key is not None and key not in keys:
        raise InvalidError(f"secret {name!r} has no key {key!r}", field=field, hint=f"it has: {', '.join(keys)}")


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
    return SecretUse(**bound.model_dump(exclude={"owner", "option", "runtime_option"}))
