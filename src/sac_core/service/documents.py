"""Between what is stored (records) and what is shown and given (models, wire documents)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sac_core.contracts.store import Record
from sac_core.errors import InvalidError
from sac_core.models.base import Model, parse
from sac_core.models.envelope import API_VERSION, Metadata
from sac_core.models.kind import Kind

_ABANDONED = "abandonedBy"
_GIVEN_BACK = (
    "uid",
    "owner",
    "generation",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "ownerReferences",
)


def to_model(kind: Kind, record: Record) -> Any:
    """The model of a record."""
    return kind.model.model_validate(
        {
            "metadata": {
                "name": record.name,
                "namespace": record.tenant,
                "uid": record.uid,
                "owner": record.owner,
                "labels": record.labels,
                "generation": record.generation,
                "resourceVersion": str(record.resource_version),
                "creationTimestamp": record.created_at,
                "deletionTimestamp": record.deleted_at,
                **{part: value for part, value in record.meta.items() if part != _ABANDONED},
            },
            "spec": record.spec,
            "status": record.status,
        }
    )


def new_record(kind: Kind, document: Mapping[str, Any], *, tenant: str, owner: str) -> Record:
    """The record of a document that declares a new thing; raises `InvalidError` that names the field."""
    _check_envelope(kind, document)
    metadata = dict(_mapping(document, "metadata"))
    if kind.generate_name and not metadata.get("name"):
        metadata["name"] = f"{kind.singular[0]}-{uuid.uuid4().hex[:10]}"
    if "name" not in metadata:
        raise InvalidError("a name is needed", field="metadata.name", hint="lower-case letters, digits and '-'")
    checked = _metadata(metadata)
    if metadata.get("namespace", tenant) != tenant:
        where = f"this request is for tenant {tenant!r}" if tenant else f"{kind.plural} belong to no tenant"
        raise InvalidError(where, field="metadata.namespace")
    return Record(
        kind=kind.kind,
        tenant=tenant,
        name=checked.name,
        uid=uuid.uuid4().hex,
        owner=owner,
        spec=parse_spec(kind, document.get("spec", {})).to_wire(),
        status={},
        labels=dict(checked.labels),
        meta=_meta(checked),
    )


def changed_record(kind: Kind, old: Record, document: Mapping[str, Any]) -> Record:
    """``old`` with the spec, labels and annotations of a document; a changed spec is a new generation."""
    _check_envelope(kind, document)
    metadata = {"name": old.name, **_mapping(document, "metadata")}
    if metadata["name"] != old.name or metadata.get("uid", old.uid) != old.uid:
        raise InvalidError("names and uids never change", field="metadata.name", hint="create a new one instead")
    checked = _metadata(metadata)
    spec = parse_spec(kind, document.get("spec", {})).to_wire()
    generation = old.generation + (spec != old.spec)
    return replace(
        old, spec=spec, labels=dict(checked.labels), meta={**old.meta, **_meta(checked)}, generation=generation
    )


def abandoned(record: Record, by: str) -> Record:
    """A record that is deleted even if its executor does not answer, as somebody asked; nothing takes that back."""
    return replace(record, meta={**record.meta, _ABANDONED: record.meta.get(_ABANDONED, by)})


def abandoned_by(record: Record) -> str | None:
    """Who asked for a record that is being deleted to go whether its executor answers or not."""
    return record.meta.get(_ABANDONED) if record.deleted_at is not None else None


def as_document(record: Record) -> dict[str, Any]:
    """What of a record a merge patch may change, in wire form."""
    annotations = record.meta.get("annotations", {})
    return {
        "metadata": {"name": record.name, "labels": dict(record.labels), "annotations": dict(annotations)},
        "spec": record.spec,
    }


def merge(target: Any, patch: Any) -> Any:
    """JSON merge patch, RFC 7396."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def parse_spec(kind: Kind, spec: Any) -> Model:
    """The spec's model; raises `InvalidError` that names the field and, for an unknown one, those that are known."""
    return parse(kind.spec, spec, field="spec")


def _check_envelope(kind: Kind, document: Mapping[str, Any]) -> None:
    if document.get("apiVersion", API_VERSION) != API_VERSION:
        raise InvalidError(f"this server speaks {API_VERSION}", field="apiVersion")
    if document.get("kind", kind.kind) != kind.kind:
        raise InvalidError(f"this is the place of {kind.kind}", field="kind")
    for key in document:
        if key not in ("apiVersion", "kind", "metadata", "spec", "status"):
            raise InvalidError(
                "no such field", field=str(key)[:80], hint="known: apiVersion, kind, metadata, spec, status"
            )


def _mapping(document: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = document.get(field, {})
    if not isinstance(value, Mapping):
        raise InvalidError("must be an object", field=field)
    return value


def _metadata(given: Mapping[str, Any]) -> Metadata:
    return parse(Metadata, {key: value for key, value in given.items() if key not in _GIVEN_BACK}, field="metadata")


def _meta(metadata: Metadata) -> dict[str, Any]:
    return {"annotations": dict(metadata.annotations)}
