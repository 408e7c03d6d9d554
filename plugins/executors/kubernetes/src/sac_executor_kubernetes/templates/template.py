"""What an operator may add to the pods of a target: a pod template in Kubernetes' own words, of which SAC knows a list.

What is not in the list is refused by its name, so that a new field of a newer cluster opens nothing. What SAC sets
itself is refused too, and the error says what to do instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sac_core.models.base import Model
from sac_executor_kubernetes.naming import CONTAINER
from sac_executor_kubernetes.templates.containers import Container
from sac_executor_kubernetes.templates.faults import fault, refuse
from sac_executor_kubernetes.templates.reserved import POD_KEYS, PRIVATE_VOLUMES, annotation_fault, label_fault
from sac_executor_kubernetes.templates.volumes import Pass, Volume


def _once(place: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise fault(f"the name {name} is there twice", place)


class PodMetadata(Model):
    """Labels and annotations of pods."""

    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _not_ours(self) -> PodMetadata:
        for name in self.labels:
            if message := label_fault(name):
                raise fault(message, "labels", name)
        for name in self.annotations:
            if message := annotation_fault(name):
                raise fault(message, "annotations", name)
        return self


class PodSpec(Model):
    """What a pod has besides SAC's."""

    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[Pass, ...] = ()
    affinity: Pass | None = None
    topology_spread_constraints: tuple[Pass, ...] | None = None
    scheduler_name: str | None = None
    dns_policy: Literal["ClusterFirst", "Default", "None"] | None = None
    dns_config: Pass | None = None
    host_aliases: tuple[Pass, ...] | None = None
    volumes: tuple[Volume, ...] = ()
    init_containers: tuple[Container, ...] = ()
    containers: tuple[Container, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _not_ours(cls, found: Any) -> Any:
        return refuse(found, POD_KEYS)

    @model_validator(mode="after")
    def _fits_together(self) -> PodSpec:
        _once("volumes", (volume.name for volume in self.volumes))
        _once("containers", (container.name for container in (*self.init_containers, *self.containers)))
        for field, containers in (("initContainers", self.init_containers), ("containers", self.containers)):
            for at, container in enumerate(containers):
                self._check_mounts(container, field, at)
                if field == "initContainers" and container.name == CONTAINER:
                    raise fault("that is the name of the agent's own container: take another", field, at, "name")
                if field == "containers" and container.restart_policy is not None:
                    raise fault("that is for init containers: leave it out", field, at, "restartPolicy")
        return self

    def _check_mounts(self, container: Container, *place: str | int) -> None:
        known = {volume.name for volume in self.volumes} | (set() if container.name == CONTAINER else {"agent"})
        for at, name in enumerate(container.mounts):
            if name in PRIVATE_VOLUMES:
                raise fault("that volume is SAC's own: take another", *place, "volumeMounts", at, "name")
            if name not in known:
                raise fault("there is no such volume: add it to volumes", *place, "volumeMounts", at, "name")


class PodTemplate(Model):
    """What the pods of a target have besides SAC's: like the template of a Deployment."""

    metadata: PodMetadata = PodMetadata()
    spec: PodSpec = PodSpec()


def _from_yaml(found: Any) -> Any:
    """A text of YAML or JSON, as somebody has it in a file."""
    if not isinstance(found, str):
        return found
    from sac_executor_kubernetes.documents import AliasError, DocumentError, read_document

    try:
        return read_document(found) or {}
    except AliasError:
        raise ValueError("it has aliases: write it out") from None
    except DocumentError:
        raise ValueError("it is no YAML") from None


GivenPodTemplate = Annotated[PodTemplate, BeforeValidator(_from_yaml)]
"""A pod template, or the text of one."""
