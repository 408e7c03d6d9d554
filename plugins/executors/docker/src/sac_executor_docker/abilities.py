"""What only some engines can: GPUs, and limits of disk. It is asked of the engine in its own words, or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sac_core.errors import UnsupportedError
from sac_core.models.launch import Resources
from sac_executor_docker.engine import Engine

_GPU = re.compile(r"[^=]+/gpu=\d+\Z")
_LIMITING = ("btrfs", "devicemapper", "windowsfilter", "zfs")
"""Storage drivers that limit a container's root on whatever they are; overlay2 does on xfs alone."""

_LIMITS = {"memory": "MemoryLimit", "cpu": "CpuCfsQuota", "processes": "PidsLimit"}
"""What an engine says whether it limits it."""

Info = Mapping[str, Any]
"""What an engine tells of itself."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a container asks for beyond what every engine has: ``DeviceRequests`` and ``StorageOpt`` of its API."""

    devices: Sequence[Mapping[str, Any]] = ()
    storage: Mapping[str, str] = field(default_factory=dict)


NOTHING = Extras()


async def extras_of(engine: Engine, resources: Resources) -> Extras:
    """What these resources ask of the engine; `UnsupportedError` names the field and what the engine lacks."""
    if resources == Resources():
        return NOTHING
    info = await engine.about()
    for limit in unlimited(info):
        if getattr(resources, limit) is not None:
            raise no_limit(limit)
    return Extras(gpus(resources.gpus or 0, info), disk(resources.disk, info))


def gpus(wanted: int, info: Info) -> list[dict[str, Any]]:
    """The first GPUs of the engine: by CDI where it knows them by name, else by NVIDIA's runtime."""
    if not wanted:
        return []
    known = sorted({str(each["ID"]) for each in info.get("DiscoveredDevices") or () if _GPU.match(str(each["ID"]))})
    if len(known) >= wanted:
        return [{"Driver": "cdi", "DeviceIDs": known[:wanted]}]
    if known:
        raise _no_gpus(f"the engine has {len(known)} GPUs, not {wanted}", "ask for fewer, or name another target")
    if "nvidia" not in (info.get("Runtimes") or {}):
        raise _no_gpus(
            "the engine has no GPUs: it knows neither the runtime nvidia nor CDI devices of GPUs",
            "install the NVIDIA Container Toolkit on its machine (nvidia-ctk runtime configure), "
            "name another target, or remove it",
        )
    return [{"Driver": "", "Count": wanted, "Capabilities": [["gpu"]]}]


def disk(most: int | None, info: Info) -> dict[str, str]:
    """The limit of a container's root, where the storage driver can hold it."""
    if most is None:
        return {}
    driver, below = str(info.get("Driver")), dict(info.get("DriverStatus") or ()).get("Backing Filesystem", "")
    if driver not in _LIMITING and (driver, below) != ("overlay2", "xfs"):
        raise no_disk(f"{driver} on {below}" if below else driver)
    return {"size": str(most)}


def unlimited(info: Info) -> list[str]:
    """What the engine limits for no container, whatever it is told: a rootless one without cgroup v2 limits nothing."""
    return [limit for limit, flag in _LIMITS.items() if info.get(flag) is False]


def no_limit(limit: str) -> UnsupportedError:
    """An engine that would not hold a limit which an agent asks for."""
    hint = "boot its machine with cgroup v2, name another target, or remove it"
    return UnsupportedError(f"the engine limits no {limit}", field=f"spec.resources.{limit}", hint=hint)


def no_disk(driver: str) -> UnsupportedError:
    """An engine that limits no disk."""
    return UnsupportedError(
        f"the engine's storage driver ({driver}) limits no disk",
        field="spec.resources.disk",
        hint="use an engine whose data is on xfs mounted with pquota, or on btrfs or zfs; or remove it",
    )


def _no_gpus(message: str, hint: str) -> UnsupportedError:
    return UnsupportedError(message, field="spec.resources.gpus", hint=hint)
