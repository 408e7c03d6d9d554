"""Containers of a template: side and init containers, and what the agent's own has besides SAC's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from sac_core.models.base import Model
from sac_executor_kubernetes.naming import CONTAINER
from sac_executor_kubernetes.templates.faults import fault, refuse
from sac_executor_kubernetes.templates.reserved import (
    AGENT_KEYS,
    CONTAINER_KEYS,
    VOLUME_KEYS,
    environment_fault,
    mount_fault,
)
from sac_executor_kubernetes.templates.volumes import Amount, PartName, Pass, VolumeMount

Amounts = dict[Literal["cpu", "memory", "ephemeral-storage"], Amount]


class EnvironmentSource(Model):
    """Where a variable's value is from."""

    field_ref: Pass | None = None
    resource_field_ref: Pass | None = None
    config_map_key_ref: Pass | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, found: Any) -> Any:
        return refuse(found, {"secretKeyRef": VOLUME_KEYS["secret"]})


class Variable(Model):
    """A variable of a container's environment."""

    name: str
    value: str | None = None
    value_from: EnvironmentSource | None = None


class Variables(Model):
    """Variables by the keys of a ConfigMap."""

    prefix: str | None = None
    config_map_ref: Pass

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, found: Any) -> Any:
        return refuse(found, {"secretRef": VOLUME_KEYS["secret"]})


class HttpGet(Model):
    """A probe's request, to the pod itself."""

    path: str | None = None
    port: int | str
    scheme: Literal["HTTP", "HTTPS"] | None = None
    http_headers: tuple[Pass, ...] | None = None


class TcpSocket(Model):
    """A probe's connection, to the pod itself."""

    port: int | str


class Probe(Model):
    """A question that the node asks a container again and again. It cannot name another host than the pod."""

    exec: Pass | None = None
    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    grpc: Pass | None = None
    initial_delay_seconds: int | None = None
    period_seconds: int | None = None
    timeout_seconds: int | None = None
    success_threshold: int | None = None
    failure_threshold: int | None = None


class ContainerPort(Model):
    """A port of a container, for people and probes; none of the node's."""

    name: str | None = None
    container_port: int = Field(ge=1, le=65535)
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_of_the_node(cls, found: Any) -> Any:
        told = "pods take no ports of their nodes: reach it in the pod, or make a Service"
        return refuse(found, {"hostPort": told, "hostIP": told})


class ContainerUser(Model):
    """As whom a container runs that is not the agent's; the rest of its security context is SAC's."""

    run_as_user: int | None = Field(default=None, gt=0)
    run_as_group: int | None = Field(default=None, gt=0)
    read_only_root_filesystem: bool | None = None


class ContainerAmounts(Model):
    """What a container may use, and what is set aside for it."""

    limits: Amounts = Field(default_factory=dict)
    requests: Amounts = Field(default_factory=dict)


class Container(Model):
    """A side or an init container; or, by its name, what the agent's has besides SAC's."""

    name: PartName
    image: str | None = None
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    working_dir: str | None = None
    env: tuple[Variable, ...] | None = None
    env_from: tuple[Variables, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    resources: ContainerAmounts | None = None
    volume_mounts: tuple[VolumeMount, ...] | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    security_context: ContainerUser | None = None
    restart_policy: Literal["Always"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_ours(cls, found: Any) -> Any:
        agents = isinstance(found, Mapping) and found.get("name") == CONTAINER
        return refuse(found, {**CONTAINER_KEYS, **(AGENT_KEYS if agents else {})})

    @model_validator(mode="after")
    def _fits(self) -> Container:
        if self.name != CONTAINER:
            if self.image is None:
                raise fault(f"name one (the agent's own container is named {CONTAINER})", "image")
            return self
        for at, variable in enumerate(self.env or ()):
            if message := environment_fault(variable.name):
                raise fault(message, "env", at, "name")
        for at, mount in enumerate(self.volume_mounts or ()):
            if message := mount_fault(mount.mount_path):
                raise fault(message, "volumeMounts", at, "mountPath")
        return self

    @property
    def mounts(self) -> list[str]:
        """The volumes that it sees."""
        return [mount.name for mount in self.volume_mounts or ()]
