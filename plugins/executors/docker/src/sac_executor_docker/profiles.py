"""What the profiles differ in: the user, a writable root, and the capabilities of ``dev-root``."""

from __future__ import annotations

from sac_core.errors import LaunchError, UnsupportedError
from sac_core.models.launch import Launch, Profile
from sac_executor_docker.engine import Engine
from sac_executor_docker.settings import DockerSettings
from sac_executor_docker.users import remaps_users

ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID")
"""What apt, dpkg and a change of user need; nothing of it reaches beyond what is the container's own."""


def capabilities(profile: Profile) -> list[str]:
    """What its processes may, beyond nothing."""
    return list(ROOT_CAPABILITIES) if profile == "dev-root" else []


async def check_profile(engine: Engine, launch: Launch, settings: DockerSettings) -> None:
    """Refuse ``dev-root`` where its root would be that of the engine's machine, unless the operator wants it so."""
    if launch.template.profile != "dev-root" or settings.allow_root:
        return
    if settings.allow_root is False:
        message, hint = "the operator does not allow the profile 'dev-root' here", "use the profile dev"
        raise LaunchError(message, reason="Forbidden", field="spec.profile", hint=hint)
    if not remaps_users(await engine.about()):
        raise UnsupportedError(
            "the profile 'dev-root' is root in the container, and this engine takes that for root of its machine",
            field="spec.profile",
            hint="use an engine with userns-remap or a rootless one, or set plugins.docker.allowRoot",
        )
