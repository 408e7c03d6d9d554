"""What may be set: by the operator for the executor, by a user for an agent. Unknown keys are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr

from sac_core.models.base import Model
from sac_executor_kubernetes.templates.reserved import annotation_fault
from sac_executor_kubernetes.templates.template import GivenPodTemplate, PodTemplate

GIB = 1 << 30
MIB = 1 << 20
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Choice = Literal["nodeSelector", "tolerations", "annotations", "runtimeClass"]
"""What an operator may leave to agents."""


def _harmless(annotations: dict[str, str]) -> dict[str, str]:
    for name in annotations:
        if message := annotation_fault(name):
            raise ValueError(f"{name}: {message}")
    return annotations


class KubernetesSettings(Model):
    """Under ``plugins.kubernetes`` in SAC's settings, or of a target."""

    kubeconfig: Path | None = Field(
        default=None,
        description="A kubeconfig file. Without one, and with a namespace, the cluster that SAC runs in.",
    )
    kubeconfig_text: SecretStr | None = Field(
        default=None, description="The text of a kubeconfig, instead of a file: kept sealed, and names no files."
    )
    context: str | None = Field(default=None, description="The context of the kubeconfig; else its current one.")
    namespace: Namespace | None = Field(
        default=None, description="Where agents run. Else the namespace of the kubeconfig's context, else default."
    )
    timeout: float = Field(default=20.0, gt=0, le=120, description="Seconds that a call of the cluster may take.")
    image: str = Field(default="python:3.13-slim", description="The image of agents that name none.")
    service_account: ObjectName | None = Field(
        default=None, description="The service account of pods, whose token they never get. Else the namespace's own."
    )
    image_pull_secrets: tuple[ObjectName, ...] = Field(
        default=(), description="Secrets of the namespace with which images are pulled."
    )
    runtime_class: ObjectName | None = Field(
        default=None, description="The runtime class of pods, such as gvisor; pods do not start where it is missing."
    )
    priority_class: ObjectName | None = Field(default=None, description="The priority class of pods.")
    user_namespaces: bool = Field(
        default=False, description="Run pods in user namespaces, where the cluster and its nodes can."
    )
    pod_template: GivenPodTemplate = Field(
        default=PodTemplate(),
        description="What pods have besides: a pod template of Kubernetes, or its YAML. It frees no agent.",
    )
    agents_may: tuple[Choice, ...] = Field(
        default=(),
        description="Which of these options agents may set: nodeSelector, tolerations, annotations, runtimeClass.",
    )
    storage_class: ObjectName | None = Field(
        default=None, description="The storage class of volumes that agents ask for. Else the cluster's default."
    )
    grace: int = Field(
        default=30, ge=1, le=300, description="Seconds that a pod has to end at most, also when more are asked for."
    )
    cpu: float = Field(default=2.0, gt=0, description="Cores of agents that name no limit.")
    memory: int = Field(default=2 * GIB, gt=0, description="Bytes of memory of agents that name no limit.")
    disk: int = Field(default=10 * GIB, gt=0, description="Bytes of a node's disk of agents that name no limit.")
    request_cpu: float = Field(default=0.25, gt=0, description="Cores that are set aside for an agent, at most.")
    request_memory: int = Field(
        default=512 * MIB, gt=0, description="Bytes of memory that are set aside for an agent, at most."
    )
    request_disk: int = Field(default=GIB, gt=0, description="Bytes of disk that are set aside for an agent, at most.")


class KubernetesOptions(Model):
    """Under ``spec.options`` of an agent; the console makes a form of it."""

    storage: int | None = Field(
        default=None,
        ge=MIB,
        description="Bytes of a volume for home and workspace, kept when it stops. None: they end with the pod.",
    )
    python: str = Field(
        default="python3",
        pattern=r"^[^\s-]\S*$",
        description="The Python of the image, 3.8 or later: a path, or a name in its PATH.",
    )
    node_selector: dict[str, str] = Field(
        default_factory=dict, description="Labels of nodes that it may run on, where the target leaves that to agents."
    )
    tolerations: tuple[dict[str, Any], ...] = Field(
        default=(),
        description="Taints of nodes that it may run on all the same, where the target leaves that to agents.",
    )
    annotations: Annotated[dict[str, str], AfterValidator(_harmless)] = Field(
        default_factory=dict, description="Annotations of its pod, where the target leaves that to agents."
    )
    runtime_class: ObjectName | None = Field(
        default=None, description="The runtime class of its pod, where the target leaves that to agents."
    )
