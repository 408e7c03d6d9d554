"""Targets: declared, changed with care for the agents on them, probed, made the default, deleted once empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sac_core.contracts.sac import Targets
from sac_core.contracts.store import EVERYWHERE, Record, Scope, Unit
from sac_core.errors import ConflictError, InvalidError, UnavailableError
from sac_core.models.agent import ExecutorRef
from sac_core.models.body import Probe
from sac_core.models.kind import Kind
from sac_core.models.placement import DEFAULT_TARGET, Placement
from sac_core.models.secret_settings import joined
from sac_core.models.target import Target, TargetSpec
from sac_core.service import documents
from sac_core.service.reach import agents_at, forget_place
from sac_core.service.resources import StoredResources, allow
from sac_core.service.services import Services
from sac_core.service.target_choice import declared_for
from sac_core.service.target_settings import Sealable, checked, sealed, unsealed

_NAMED = 5
"""So many agents are named in an error."""
_ALL = ""
"""The path of all settings."""


class TargetService(StoredResources[Target], Targets):
    """Targets of SAC. ``secrets`` are the secret settings that a create is about to write."""

    fields = ("metadata.name", "status.phase", "spec.executor")

    def __init__(self, services: Services, kind: Kind, scope: Scope, secrets: Sealable | None = None) -> None:
        super().__init__(services, kind, scope)
        self._secrets = secrets or {}

    async def create_from(self, document: Mapping[str, Any], *, idempotency_key: str | None = None) -> Target:
        self._allow("create")
        spec = self._spec(document)
        plain, secrets = checked(self._services.registry, spec.executor, spec.settings)
        writing = TargetService(self._services, self._kind, self._scope, secrets)
        shown = {**document, "spec": {**spec.to_wire(), "settings": plain}}
        return await StoredResources.create_from(writing, shown, idempotency_key=idempotency_key)

    async def replace_from(
        self, name: str, document: Mapping[str, Any], *, resource_version: str | None = None
    ) -> Target:
        self._allow("replace")
        given = document.get("metadata")
        inside = given.get("resourceVersion") if isinstance(given, Mapping) else None
        return await self._rewrite(await self._read(name), document, (), resource_version or inside or None)

    async def patch(self, name: str, patch: Mapping[str, Any], *, resource_version: str | None = None) -> Target:
        self._allow("patch")
        old = await self._read(name)
        document = documents.merge(documents.as_document(old), patch)
        spec = patch.get("spec")
        settings = spec.get("settings", {}) if isinstance(spec, Mapping) else {}
        return await self._rewrite(old, document, _nulls(settings), resource_version)

    async def delete(self, name: str, *, resource_version: str | None = None) -> None:
        self._allow("delete")
        async with self._services.store.transaction(self._scope) as unit:
            record = await self._guarded(unit, name, resource_version)
            if record.status.get("default"):
                hint = f"first: sac targets set-default {DEFAULT_TARGET} --executor {_at(record).executor}"
                raise ConflictError(f"target {name!r} is the default of its executor", reason="InUse", hint=hint)
            await _refuse_if_used(unit, record, "delete them first")
            await unit.remove(record)
        await forget_place(self._services.store, _at(record))

    async def test(self, name: str) -> Probe:
        allow(self._scope, "targets:test")
        record = await self._read(name)
        look = self._services.targets.look
        if look is None:
            raise UnavailableError("this server is stopping", retry_after=5)
        return await look(record.uid)

    async def set_default(self, name: str, *, executor: str | None = None) -> ExecutorRef:
        allow(self._scope, "targets:set-default")
        async with self._services.store.transaction(self._scope) as unit:
            at = await self._named(unit, name, executor)
            for record in await declared_for(unit, at.executor):
                if bool(record.status.get("default")) != (record.name == at.target):
                    status = {**record.status, "default": record.name == at.target}
                    await unit.update(replace(record, status=status))
        return ExecutorRef(name=at.executor, target=at.target)

    def fingerprint_(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is kept of a request with an idempotency key has no secret in it."""
        return {"document": document, "sealed": sorted(self._secrets)}

    async def prepare_(self, unit: Unit, record: Record) -> Record:
        if record.name == DEFAULT_TARGET:
            raise InvalidError(
                f"every executor has a target {DEFAULT_TARGET!r} by itself",
                field="metadata.name",
                hint="choose another",
            )
        return record

    async def _insert(self, record: Record) -> Record:
        version = 1 if self._secrets else 0
        kept = await sealed(self._services, record, version, self._secrets) if self._secrets else None
        status = {"phase": "Pending", "sealed": sorted(self._secrets), "sealedVersion": version}
        async with self._services.store.transaction(self._scope) as unit:
            made = await unit.insert(await self.prepare_(unit, replace(record, status=status)))
            if kept is not None:
                await unit.keep_sealed(made, kept)
        return made

    async def _rewrite(
        self, old: Record, document: Mapping[str, Any], dropped: tuple[str, ...], resource_version: str | None
    ) -> Target:
        """Write it anew; secret settings that are not given, nor ``dropped``, stay with what they are in."""
        spec = self._spec(document)
        if spec.executor != old.spec["executor"]:
            raise InvalidError("a target never changes its executor", field="spec.executor", hint="create another one")
        before = await unsealed(self._services, old)
        stay = {path: value for path, value in before.items() if not {path, _ALL} & set(dropped)}
        plain, secrets = checked(self._services.registry, spec.executor, joined(spec.settings, stay))
        version = int(old.status.get("sealedVersion", 0)) + (secrets != before)
        kept = await sealed(self._services, old, version, secrets) if secrets != before else None
        shown = {**document, "spec": {**spec.to_wire(), "settings": plain}}
        async with self._services.store.transaction(self._scope) as unit:
            now = await self._guarded(unit, old.name, resource_version)
            if (now.uid, now.spec, now.status.get("sealedVersion", 0)) != _read_of(old):
                raise ConflictError(f"target {old.name!r} was written at the same moment", hint="write it again")
            new = documents.changed_record(self._kind, now, shown)
            if new.spec.get("settings") != now.spec.get("settings"):
                await _refuse_if_used(unit, now, "what it is reached by may change only while it is empty")
            if kept is not None:
                status = {**new.status, "sealed": sorted(secrets), "sealedVersion": version}
                new = replace(new, status=status, generation=now.generation + 1)
            if new != now:
                new = await unit.update(new)
            if kept is not None:
                await unit.keep_sealed(new, kept)
        return self._model(new)

    async def _named(self, unit: Unit, name: str, executor: str | None) -> Placement:
        """The target that is meant; ``default`` is one of each executor."""
        if name == DEFAULT_TARGET:
            if executor is None:
                raise InvalidError(
                    f"every executor has a target {DEFAULT_TARGET!r}", field="executor", hint="say which"
                )
            return Placement(self._services.registry.executor(executor).name)
        record = await self._guarded(unit, name, None)
        at = _at(record)
        if executor not in (None, at.executor):
            raise InvalidError(f"target {name!r} is one of executor {at.executor!r}", field="executor")
        return at

    def _spec(self, document: Mapping[str, Any]) -> TargetSpec:
        spec = documents.parse_spec(self._kind, document.get("spec", {}))
        assert isinstance(spec, TargetSpec)
        return spec


async def _refuse_if_used(unit: Unit, target: Record, hint: str) -> None:
    agents = [f"{agent.tenant}/{agent.name}" for agent in await agents_at(unit.reading(EVERYWHERE), _at(target))]
    if agents:
        more = f" and {len(agents) - _NAMED} more" if len(agents) > _NAMED else ""
        there = f"agents are on target {target.name!r}: {', '.join(agents[:_NAMED])}{more}"
        raise ConflictError(there, reason="InUse", hint=hint)


def _at(record: Record) -> Placement:
    return Placement(record.spec["executor"], record.name)


def _read_of(record: Record) -> tuple[str, dict[str, Any], int]:
    return record.uid, record.spec, record.status.get("sealedVersion", 0)


def _nulls(tree: object, path: str = _ALL) -> tuple[str, ...]:
    """The paths that a merge patch takes away."""
    if not isinstance(tree, Mapping):
        return (path,) if tree is None else ()
    found = [_nulls(value, f"{path}.{key}" if path else str(key)) for key, value in tree.items()]
    return tuple(each for paths in found for each in paths)
