"""What this executor cannot honour is refused, by the name of its field."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from sac_core.errors import LaunchError, UnsupportedError
from sac_core.models.launch import Launch

_ISOLATED = "choose an executor that isolates"


def check_launch(launch: Launch) -> None:
    """Raise `UnsupportedError` for the first field that cannot be honoured, `LaunchError` for a missing folder."""
    for field, message in _unsupported(launch):
        raise UnsupportedError(message, field=field, hint=f"remove it, or {_ISOLATED}")
    folder = launch.template.cwd
    if folder is not None and not Path(folder).is_dir():
        raise LaunchError(
            f"the folder {folder!r} does not exist on this machine",
            reason="InvalidSpec",
            field="spec.workspace.folder",
            hint="create it, or leave it out for a folder of SAC's own",
        )


def _unsupported(launch: Launch) -> Iterator[tuple[str, str]]:
    template = launch.template
    if template.image is not None:
        yield "spec.image", "the process executor runs no images"
    if template.profile != "dev":
        yield "spec.profile", f"the process executor cannot enforce the profile {template.profile!r}"
    if template.egress.mode != "all":
        yield "spec.egress", "the process executor cannot limit what a body reaches"
    if template.mounts:
        yield "spec.mounts", "the process executor mounts nothing"
    if template.options:
        yield "spec.options", "the process executor has no options"
    yield from _unsupported_resources(launch)


def _unsupported_resources(launch: Launch) -> Iterator[tuple[str, str]]:
    resources = launch.template.resources
    if resources.cpu is not None:
        yield "spec.resources.cpu", "the process executor cannot limit cpu"
    if resources.disk is not None:
        yield "spec.resources.disk", "the process executor cannot limit disk"
    if resources.gpus:
        yield "spec.resources.gpus", "the process executor assigns no gpus"
    if resources.memory is not None and not limits_memory():
        yield "spec.resources.memory", "this system does not limit the memory of a process"
    if resources.processes is not None and not limits_processes():
        yield "spec.resources.processes", "this system does not limit the processes of this user"


def limits_memory() -> bool:
    """Whether the limit of a process's address space is enforced here."""
    return sys.platform.startswith("linux")


def limits_processes() -> bool:
    """Whether the limit of a user's processes is enforced here: never for root."""
    return os.getuid() != 0
