"""What this executor cannot honour is refused, by the name of its field, before anything is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from sac_core.errors import UnsupportedError
from sac_core.models.base import parse
from sac_core.models.launch import Launch
from sac_executor_kubernetes.settings import Choice, KubernetesOptions, KubernetesSettings


def check_launch(launch: Launch, settings: KubernetesSettings) -> KubernetesOptions:
    """The options. Raises `UnsupportedError` that names the field, or `InvalidError` for bad options."""
    for field, message, hint in _unsupported(launch):
        raise UnsupportedError(message, field=field, hint=hint)
    options = parse(KubernetesOptions, launch.template.options, field="spec.options")
    for field, value in options.to_wire().items():
        if value and field in get_args(Choice) and field not in settings.agents_may:
            message = "the operator of the target does not leave that to agents"
            hint = f"leave it out, or ask for {field} in the target's agentsMay"
            raise UnsupportedError(message, field=f"spec.options.{field}", hint=hint)
    return options


def _unsupported(launch: Launch) -> Iterator[tuple[str, str, str]]:
    template, resources = launch.template, launch.template.resources
    if template.cwd is not None:
        message = "pods run on other machines, which have other folders"
        yield "spec.workspace.folder", message, "leave it out, or clone with git"
    if template.mounts:
        yield "spec.mounts", "the kubernetes executor mounts nothing but its own volumes", "use options.storage"
    if template.profile == "dev-root":
        yield "spec.profile", "the kubernetes executor runs nothing as root", "use the profile dev"
    if template.egress.mode != "all":
        message = "the kubernetes executor cannot tell whether the cluster enforces network policies"
        yield "spec.egress", message, "use the mode all, and a policy of the namespace"
    if resources.gpus:
        yield "spec.resources.gpus", "the kubernetes executor asks for no GPUs yet", "name another executor"
    if resources.processes is not None:
        message = "a pod's processes are limited by its node alone (podPidsLimit of the kubelet)"
        yield "spec.resources.processes", message, "leave it out"
