"""Kinds are registered: what a declared thing is called and made of. Routes, OpenAPI and forms come from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sac_core.models.agent import Agent
from sac_core.models.base import Model
from sac_core.models.recording import Recording
from sac_core.models.secret import Secret
from sac_core.models.session import Session
from sac_core.models.target import Target

Verb = Literal["list", "create", "get", "replace", "patch", "delete"]
ALL_VERBS: tuple[Verb, ...] = ("list", "create", "get", "replace", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list: its heading, and the dotted wire path of its value."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared thing: names, scope, model, columns, verbs.

    What has scope ``platform`` belongs to no tenant: every tenant sees the same. ``generate_name``: SAC makes the name
    if none is given. ``private``: only its owner sees it. ``delete_flags``: what DELETE may be asked besides, true or
    false.
    """

    kind: str
    plural: str
    singular: str
    model: type[Any]
    scope: Literal["tenant", "platform"] = "tenant"
    columns: tuple[Column, ...] = ()
    verbs: tuple[Verb, ...] = ALL_VERBS
    generate_name: bool = False
    private: bool = False
    delete_flags: tuple[str, ...] = ()

    @property
    def spec(self) -> type[Model]:
        """The model of its spec."""
        model: type[Model] = self.model.model_fields["spec"].annotation
        return model

    def permission(self, verb: str) -> str:
        """The permission that a verb on this kind needs."""
        return f"{self.plural}:{verb}"


AGENT = Kind(
    kind="Agent",
    plural="agents",
    singular="agent",
    model=Agent,
    columns=(
        Column("NAME", "metadata.name"),
        Column("PHASE", "status.phase"),
        Column("REASON", "status.reason"),
        Column("RUNTIME", "spec.runtime"),
        Column("EXECUTOR", "status.executor"),
        Column("AGE", "metadata.creationTimestamp"),
    ),
    delete_flags=("keepVolumes", "abandon"),
)

SESSION = Kind(
    kind="Session",
    plural="sessions",
    singular="session",
    model=Session,
    columns=(
        Column("NAME", "metadata.name"),
        Column("AGENT", "spec.agent"),
        Column("PHASE", "status.phase"),
        Column("AGE", "metadata.creationTimestamp"),
    ),
    verbs=("list", "create", "get", "delete"),
    generate_name=True,
)

SECRET = Kind(
    kind="Secret",
    plural="secrets",
    singular="secret",
    model=Secret,
    columns=(
        Column("NAME", "metadata.name"),
        Column("TYPE", "spec.type"),
        Column("KEYS", "status.keys"),
        Column("VERSION", "status.version"),
        Column("AGE", "metadata.creationTimestamp"),
    ),
    verbs=("list", "create", "get", "replace", "delete"),
    private=True,
)

RECORDING = Kind(
    kind="Recording",
    plural="recordings",
    singular="recording",
    model=Recording,
    columns=(
        Column("NAME", "metadata.name"),
        Column("AGENT", "spec.agent"),
        Column("PHASE", "status.phase"),
        Column("SECONDS", "status.duration"),
        Column("BYTES", "status.bytes"),
        Column("MISSED", "status.missed"),
        Column("AGE", "metadata.creationTimestamp"),
    ),
    verbs=("list", "get", "delete"),
)

TARGET = Kind(
    kind="Target",
    plural="targets",
    singular="target",
    model=Target,
    scope="platform",
    columns=(
        Column("NAME", "metadata.name"),
        Column("EXECUTOR", "spec.executor"),
        Column("PHASE", "status.phase"),
        Column("REASON", "status.reason"),
        Column("DEFAULT", "status.default"),
        Column("AGE", "metadata.creationTimestamp"),
    ),
)

KINDS = (AGENT, SESSION, SECRET, RECORDING, TARGET)
"""The kinds that SAC has by itself."""
