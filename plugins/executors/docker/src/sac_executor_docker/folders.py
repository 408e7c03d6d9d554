"""The folder of this machine in which an agent works: which one may be mounted, and as whose processes see it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sac_core.errors import LaunchError, UnsupportedError
from sac_core.models.launch import Launch
from sac_executor_docker.engine import Engine
from sac_executor_docker.settings import DockerSettings
from sac_executor_docker.users import user_of

_SYSTEM = tuple(
    Path(name)
    for name in ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")
)
_TEMPORARY = Path("/var/tmp")

Place = tuple[Path, os.stat_result]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to mount, at the same path, and the user and group that own it."""

    path: str
    user: str


def workspace_folder(launch: Launch, settings: DockerSettings, *, local: bool, private: Path) -> Place | None:
    """What to mount, or None when the agent works in its own volume.

    Without ``settings.folders`` it must belong to the user who runs SAC. ``private`` is SAC's own, and never mounted.
    Raises `UnsupportedError` for an engine elsewhere, `LaunchError` for a folder that is not there or not allowed.
    """
    wanted = launch.template.cwd
    if wanted is None:
        return None
    if launch.template.profile == "dev-root":
        raise _refused("the profile 'dev-root' mounts no folder of this machine", "use dev, or clone with git")
    if not local:
        message = "the engine is on another machine, which has other folders"
        raise UnsupportedError(message, field="spec.workspace.folder", hint="leave it out, or clone with git")
    path = Path(wanted)
    if not path.is_dir():
        raise _refused(f"the folder {wanted!r} does not exist on this machine", "create it, or leave it out")
    real = path.resolve()
    if real != path:
        raise _refused(f"{wanted!r} is another name of {str(real)!r}", f"name it {str(real)!r}")
    _check_place(real, settings, launch, private)
    return real, real.stat()


async def owned(engine: Engine, place: Place | None) -> Folder | None:
    """The folder with the user and group that its owner is in a container."""
    if place is None:
        return None
    path, about = place
    return Folder(str(path), user_of(about, await engine.about(), engine.address.owner))


def _check_place(real: Path, settings: DockerSettings, launch: Launch, private: Path) -> None:
    system = real.parent == real or any(real.is_relative_to(place) for place in _SYSTEM)
    if (system and not real.is_relative_to(_TEMPORARY)) or private.is_relative_to(real) or real.is_relative_to(private):
        raise _refused(f"{str(real)!r} belongs to the system or to SAC", "choose a folder of your own")
    if settings.folders is not None:
        if not any(real.is_relative_to(place.resolve()) for place in settings.folders):
            raise _refused(f"{str(real)!r} is in none of the folders allowed here", "see plugins.docker.folders")
        return
    if launch.template.profile == "strict":
        raise _refused(
            "the profile 'strict' mounts no folders that the operator has not named", "set plugins.docker.folders"
        )
    if real.stat().st_uid != os.getuid():
        raise _refused(
            f"{str(real)!r} belongs to another user than the one who runs SAC", "choose a folder of your own"
        )


def _refused(message: str, hint: str) -> LaunchError:
    return LaunchError(
        message, reason="Forbidden" if "belongs" in message else "InvalidSpec", field="spec.workspace.folder", hint=hint
    )
