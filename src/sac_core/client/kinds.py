"""The kinds as a server names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.envelope import API_VERSION, Metadata
from sac_core.models.kind import AGENT, KINDS, RECORDING, SECRET, SESSION, TARGET, Column, Kind


class Declared(Model):
    """A thing of a kind whose models this client does not have: spec and status stay in wire form."""

    api_version: str = API_VERSION
    kind: str
    metadata: Metadata
    spec: dict[str, Any] = Field(default_factory=dict)
    status: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteKind:
    """A kind as the server names it, and the model that its things are read into."""

    kind: str
    plural: str
    singular: str
    columns: tuple[Column, ...] = ()
    verbs: tuple[str, ...] = ()
    model: type[Model] = field(default=Declared)


_MODELS: dict[str, type[Model]] = {kind.kind: kind.model for kind in KINDS}


def remote_kind(document: Mapping[str, Any]) -> RemoteKind:
    """One entry of ``/api/v1/kinds``."""
    return RemoteKind(
        kind=document["kind"],
        plural=document["plural"],
        singular=document["singular"],
        columns=tuple(Column(column["title"], column["path"]) for column in document.get("columns", ())),
        verbs=tuple(document.get("verbs", ())),
        model=_MODELS.get(document["kind"], Declared),
    )


def model_of(kind: str) -> type[Model]:
    """The model that things of a kind are read into."""
    return _MODELS.get(kind, Declared)


def _own(kind: Kind) -> RemoteKind:
    return RemoteKind(kind.kind, kind.plural, kind.singular, kind.columns, kind.verbs, kind.model)


AGENT_KIND = _own(AGENT)
SESSION_KIND = _own(SESSION)
SECRET_KIND = _own(SECRET)
RECORDING_KIND = _own(RECORDING)
TARGET_KIND = _own(TARGET)
