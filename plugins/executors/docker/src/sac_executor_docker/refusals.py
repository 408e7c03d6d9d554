"""What this executor cannot honour is refused, by the name of its field, before anything is made."""

from __future__ import annotations

from collections.abc import Iterator

from sac_core.errors import UnsupportedError
from sac_core.models.base import parse
from sac_core.models.launch import Launch, Secrets
from sac_executor_docker.settings import DockerOptions

_LEAST_MEMORY = 6 << 20


def check_launch(launch: Launch) -> DockerOptions:
    """The options. Raises `UnsupportedError` that names the field, or `InvalidError` for bad options."""
    for field, message, hint in _unsupported(launch):
        raise UnsupportedError(message, field=field, hint=hint)
    return parse(DockerOptions, launch.template.options, field="spec.options")


def _unsupported(launch: Launch) -> Iterator[tuple[str, str, str]]:
    template, resources = launch.template, launch.template.resources
    if template.mounts:
        yield (
            "spec.mounts",
            "the docker executor mounts the workspace's folder and its own volumes",
            "use options.volumes",
        )
    if template.egress.mode == "allow":
        yield "spec.egress", "the docker executor cannot limit egress to named hosts", "use the modes all or none"
    if resources.memory is not None and resources.memory < _LEAST_MEMORY:
        yield "spec.resources.memory", "the engine takes no less than 6 MiB", "allow more"


def check_without_holder(launch: Launch, secrets: Secrets) -> None:
    """What needs a Python in the image, for without one there is no holder."""
    hint = "use an image with Python 3.8 or later"
    if secrets.files:
        raise UnsupportedError(
            "this image has no Python, so it takes no files of secrets", field="spec.secrets", hint=hint
        )
    if launch.template.ports:
        raise UnsupportedError("this image has no Python, so its ports are not reached", field="spec.ports", hint=hint)
    if launch.template.command is not None:
        message = "this image has no Python, so its main process could not be found again after a restart of SAC"
        raise UnsupportedError(message, field="spec.command", hint=hint)
