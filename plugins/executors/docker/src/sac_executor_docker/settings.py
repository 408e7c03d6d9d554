"""What may be set: by the operator for the executor, by a user for an agent. Unknown keys are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from sac_core.models.base import Model

GIB = 1 << 30


def _volumes(volumes: dict[str, str]) -> dict[str, str]:
    for path in volumes.values():
        if not path.startswith("/") or ".." in path.split("/") or path.rstrip("/") in ("", *_RESERVED):
            raise ValueError(f"{path!r} is no place for a volume: give an absolute path that SAC does not use itself")
    return volumes


_RESERVED = ("/agent", "/opt/sac", "/run/sac", "/proc", "/sys", "/dev", "/run", "/tmp")
VolumeName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]


class DockerSettings(Model):
    """Under ``plugins.docker`` in SAC's settings."""

    host: str | None = Field(
        default=None,
        description="The engine: unix:///path or tcp://host:port. Else DOCKER_HOST, else /var/run/docker.sock.",
    )
    tls: Path | None = Field(
        default=None,
        description="A folder with ca.pem, cert.pem and key.pem, for tcp. Else DOCKER_CERT_PATH if DOCKER_TLS_VERIFY.",
    )
    local: bool | None = Field(
        default=None,
        description="Whether the engine runs on this machine and sees its folders. Else: yes for a unix socket.",
    )
    timeout: float = Field(default=20.0, gt=0, le=120, description="Seconds that a call of the engine may take.")
    image: str = Field(default="python:3.13-slim", description="The image of agents that name none.")
    folders: tuple[Path, ...] | None = Field(
        default=None,
        description="Folders of this machine below which agents may work. Else what the user of SAC owns.",
    )
    allow_root: bool | None = Field(
        default=None,
        description="Whether agents may have the profile dev-root. Else where the engine remaps users.",
    )
    memory: int = Field(default=2 * GIB, gt=0, description="Bytes of memory of agents that name no limit.")
    cpu: float = Field(default=2.0, gt=0, description="Cores of agents that name no limit.")
    processes: int = Field(default=512, gt=0, description="Processes of agents that name no limit.")


class DockerOptions(Model):
    """Under ``spec.options`` of an agent; the console makes a form of it."""

    volumes: Annotated[dict[VolumeName, str], AfterValidator(_volumes)] = Field(
        default_factory=dict,
        max_length=16,
        description="Volumes of the agent by name, each with its path; kept when it stops, removed with it.",
    )
