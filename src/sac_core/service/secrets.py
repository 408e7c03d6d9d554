"""Secrets: written and used, never read. Their values travel sealed, and only `values_of` opens them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sac_core.contracts.sac import Secrets
from sac_core.contracts.store import Reader, Record, Scope, SealedValue, Unit
from sac_core.errors import ConflictError, InvalidError
from sac_core.models.kind import Kind
from sac_core.models.secret import Secret, SecretSpec, check_form, last4, missing_key, to_bytes
from sac_core.service import documents
from sac_core.service.resources import StoredResources
from sac_core.service.services import Services

Values = Mapping[str, bytes]
"""A secret's values by key."""


class SecretService(StoredResources[Secret], Secrets):
    """Secrets of one scope. ``values`` are those that a create is about to write."""

    fields = ("metadata.name", "spec.type")

    def __init__(self, services: Services, kind: Kind, scope: Scope, values: Values | None = None) -> None:
        super().__init__(services, kind, scope)
        self._values = values

    async def create_from(self, document: Mapping[str, Any], *, idempotency_key: str | None = None) -> Secret:
        shown, values = self._parted(document)
        if values is None:
            raise InvalidError("a secret needs a value", field="spec.data", hint='for example {"value": "..."}')
        writing = SecretService(self._services, self._kind, self._scope, values)
        return await StoredResources.create_from(writing, shown, idempotency_key=idempotency_key)

    async def replace_from(
        self, name: str, document: Mapping[str, Any], *, resource_version: str | None = None
    ) -> Secret:
        shown, values = self._parted(document)
        if values is None:
            return await super().replace_from(name, shown, resource_version=resource_version)
        self._allow("replace")
        old = await self._read(name)
        sealed = await self._sealed(old, int(old.status["version"]) + 1, values)
        async with self._services.store.transaction(self._scope) as unit:
            now = await self._guarded(unit, name, resource_version or _version_in(shown))
            if (now.uid, now.status["version"]) != (old.uid, old.status["version"]):
                raise ConflictError(f"secret {name!r} was written at the same moment", hint="write it again")
            new = documents.changed_record(self._kind, now, shown)
            new = await unit.update(replace(new, status=_status(sealed.version, values)))
            await unit.keep_sealed(new, sealed)
        return self._model(new)

    async def delete(self, name: str, *, resource_version: str | None = None) -> None:
        self._allow("delete")
        async with self._services.store.transaction(self._scope) as unit:
            await unit.remove(await self._guarded(unit, name, resource_version))

    async def prepare_(self, unit: Unit, record: Record) -> Record:
        """A new type of a value that stays must fit it; what has a form is looked at when it is written."""
        if self._services.registry.secret_form(record.spec["type"]) is not None:
            raise InvalidError("a secret becomes of this type by a value", field="spec.type", hint="write it anew")
        missing = missing_key(record.spec["type"], record.status["keys"])
        if missing is not None:
            raise InvalidError(f"this type needs the key {missing!r}", field="spec.type", hint="write the value anew")
        return record

    def fingerprint_(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is kept of a request with an idempotency key has no value in it, nor a whole hash of one."""
        return {"document": document, "value": _status(1, self._values or {})}

    async def _insert(self, record: Record) -> Record:
        values = self._values or {}
        sealed = await self._sealed(record, 1, values)
        async with self._services.store.transaction(self._scope) as unit:
            made = await unit.insert(replace(record, status=_status(1, values)))
            await unit.keep_sealed(made, sealed)
        return made

    async def _sealed(self, record: Record, version: int, values: Values) -> SealedValue:
        text = json.dumps({key: base64.b64encode(value).decode() for key, value in values.items()})
        sealing = self._services.sealing
        return SealedValue(version, await sealing.seal(record.tenant, _identity(record, version), text.encode()))

    def _parted(self, document: Mapping[str, Any]) -> tuple[dict[str, Any], Values | None]:
        """The document without the value, and the value."""
        spec = documents.parse_spec(self._kind, document.get("spec", {}))
        assert isinstance(spec, SecretSpec)
        values = None if spec.data is None else to_bytes(spec.data)
        form = self._services.registry.secret_form(spec.type)
        if form is not None and values is not None:
            check_form(form, values)
        return {**document, "spec": {"type": spec.type}}, values


async def values_of(services: Services, reader: Reader, record: Record) -> tuple[int, Values]:
    """A secret's version and values, to be put into a body and nowhere else.

    Raises `NotFoundError` when it has just gone, `UnavailableError` when it cannot be opened.
    """
    kept = await reader.sealed(record)
    text = await services.sealing.unseal(record.tenant, _identity(record, kept.version), kept.sealed)
    return kept.version, {key: base64.b64decode(value) for key, value in json.loads(text).items()}


def _identity(record: Record, version: int) -> str:
    return f"{record.kind}/{record.uid}/{version}"


def _status(version: int, values: Values) -> dict[str, Any]:
    shown = {key: last4(value) for key, value in values.items()}
    return {"phase": "Ready", "version": version, "keys": sorted(values), "last4": shown}


def _version_in(document: Mapping[str, Any]) -> str | None:
    metadata = document.get("metadata")
    return metadata.get("resourceVersion") if isinstance(metadata, Mapping) else None
