"""The one envelope of everything declared: metadata, and the conditions of a status."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.names import Labels, Name

API_VERSION = "sac/v1"


class OwnerReference(Model):
    """The thing that this thing goes with when it is deleted."""

    kind: str
    name: str
    uid: str


class Metadata(Model):
    """Who a declared thing is. Names are unique per tenant (``namespace``) and kind; ``uid`` is unique for ever.

    The ``namespace`` of what belongs to no tenant is empty.

    ``generation`` counts changes of the spec; ``resource_version`` changes with every write and is opaque.
    """

    name: Name
    namespace: Name | Literal[""] = "default"
    uid: str = ""
    owner: str = ""
    labels: Labels = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    owner_references: tuple[OwnerReference, ...] = ()


class Condition(Model):
    """One observed fact about a thing, and since when it holds."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


def with_condition(conditions: tuple[Condition, ...], new: Condition) -> tuple[Condition, ...]:
    """Set one condition; its time stays when the status did not change."""
    old = next((c for c in conditions if c.type == new.type), None)
    if old is not None and old.status == new.status:
        new = new.model_copy(update={"last_transition_time": old.last_transition_time})
    others = tuple(c for c in conditions if c.type != new.type)
    return tuple(sorted((*others, new), key=lambda c: c.type))
