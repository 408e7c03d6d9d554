"""Volumes of a template, and where containers see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sac_core.models.base import Model
from sac_executor_kubernetes.templates.faults import fault, refuse
from sac_executor_kubernetes.templates.reserved import VOLUME_KEYS, volume_fault

Pass = dict[str, Any]
"""Handed to the cluster as it is, which says what is wrong with it."""
PartName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Amount = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]


class EmptyDir(Model):
    """A folder that ends with the pod."""

    medium: Literal["", "Memory"] | None = None
    size_limit: Amount | None = None


class Claim(Model):
    """A volume claim of the namespace, which is not an agent's."""

    claim_name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
    read_only: bool | None = None

    @model_validator(mode="after")
    def _not_an_agents(self) -> Claim:
        if self.claim_name.startswith("sac-"):
            raise fault("that is the name of an agent's volume: take another", "claimName")
        return self


class Source(Model):
    """A part of a projected volume; a token or a secret is none."""

    config_map: Pass | None = None
    downward_api: Pass | None = Field(default=None, alias="downwardAPI")

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, found: Any) -> Any:
        return refuse(found, VOLUME_KEYS)


class Projected(Model):
    """Several in one folder."""

    sources: tuple[Source, ...]
    default_mode: int | None = None


class Volume(Model):
    """A volume of a pod: nothing of its node, and no secret of the namespace."""

    name: PartName
    config_map: Pass | None = None
    empty_dir: EmptyDir | None = None
    persistent_volume_claim: Claim | None = None
    downward_api: Pass | None = Field(default=None, alias="downwardAPI")
    projected: Projected | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_of_the_node(cls, found: Any) -> Any:
        return refuse(found, VOLUME_KEYS)

    @model_validator(mode="after")
    def _one_and_not_ours(self) -> Volume:
        if message := volume_fault(self.name):
            raise fault(message, "name")
        if len(self.to_wire()) != 2:
            raise ValueError("a volume is one of configMap, emptyDir, persistentVolumeClaim, downwardAPI, projected")
        return self


class VolumeMount(Model):
    """Where a container sees a volume."""

    name: PartName
    mount_path: str
    sub_path: str | None = None
    sub_path_expr: str | None = None
    read_only: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _stays_inside(cls, found: Any) -> Any:
        return refuse(found, {"mountPropagation": "mounts stay in their container: leave it out"})
