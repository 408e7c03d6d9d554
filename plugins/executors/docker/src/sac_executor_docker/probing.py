"""What an engine offers, and what is missing for a good wall around agents."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from sac_core.errors import UnavailableError, UnsupportedError
from sac_core.models.body import Finding, Probe
from sac_executor_docker.abilities import disk, gpus, unlimited
from sac_executor_docker.engine import Engine
from sac_executor_docker.users import remaps_users

OLDEST_API = (1, 41)
_GOOD_RUNC = (1, 2, 8)
CAPABILITIES = ("holder", "stop", "watch", "limits", "replace", "files", "images")


async def probe(engine: Engine, image: str) -> Probe:
    """Ask the engine; one that does not answer is a finding with advice.

    With ``image``, that of agents that name none, it is ready for agents that name no executor.
    """
    place = f"{socket.gethostname()}:{engine.address.socket}" if engine.address.local else ""
    try:
        version, info = await engine.call("version"), await engine.call("info")
        there = await engine.found("inspect_image", image) is not None
    except UnavailableError as error:
        finding = Finding(level="error", check="engine", message=error.message, advice=error.hint or "")
        return Probe(reachable=False, place=place, findings=(finding,))
    missing = None if there else _missing(image)
    findings = (*_findings(version, info), *filter(None, [missing]))
    limits = {"memory": "of the container", "cpu": "cores", "processes": "of the container"}
    limits = {field: meaning for field, meaning in limits.items() if field not in unlimited(info)}
    return Probe(
        reachable=all(finding.level != "error" for finding in findings),
        place=place,
        standard=there,
        unready=missing,
        capabilities=CAPABILITIES,
        limits=limits | _extra_limits(info),
        findings=findings,
    )


def _extra_limits(info: dict[str, Any]) -> dict[str, str]:
    """What this engine can besides."""
    limits: dict[str, str] = {}
    with suppress(UnsupportedError):
        limits |= {"gpus": "of the engine"} if gpus(1, info) else {}
    with suppress(UnsupportedError):
        limits |= {"disk": "of the container's root, without its volumes"} if disk(1, info) else {}
    return limits


def _findings(version: dict[str, Any], info: dict[str, Any]) -> Iterator[Finding]:
    yield _api(version)
    security = " ".join(info.get("SecurityOptions") or ())
    if not remaps_users(info):
        message = "whoever may use the engine's socket is root on its machine, SAC included"
        yield _warning("engine", message, "a rootless engine or userns-remap narrows that")
    if "seccomp" not in security:
        yield _warning("seccomp", "the engine filters no system calls", "use an engine with seccomp")
    if "apparmor" not in security and "selinux" not in security:
        yield _warning(
            "apparmor", "neither AppArmor nor SELinux confines containers", "enable one where the kernel has it"
        )
    if info.get("CgroupVersion") == "1":
        yield _warning("cgroups", "cgroup v1: containers see the limits of others", "boot with cgroup v2")
    without = unlimited(info)
    if without:
        message = f"the engine limits no {', no '.join(without)}: one agent can take all of its machine"
        yield _warning("limits", message, "boot its machine with cgroup v2, which a rootless engine needs for limits")
    yield from _runc(version)


def _missing(image: str) -> Finding:
    message = f"{image}, the image of agents that name none, is not there yet"
    advice = f"docker pull {image}: from the next start of SAC on, agents that name no executor run in containers"
    return _warning("image", message, advice)


def _api(version: dict[str, Any]) -> Finding:
    name, api = f"Docker {version.get('Version')}, API {version.get('ApiVersion')}", str(version.get("ApiVersion"))
    if tuple(int(part) for part in api.split(".")) < OLDEST_API:
        return Finding(level="error", check="engine", message=f"{name} is too old", advice="use Docker 20.10 or later")
    return Finding(level="ok", check="engine", message=name)


def _runc(version: dict[str, Any]) -> Iterator[Finding]:
    for component in version.get("Components") or ():
        found = (
            re.match(r"(\d+)\.(\d+)\.(\d+)", component.get("Version", "")) if component.get("Name") == "runc" else None
        )
        if found and tuple(int(part) for part in found.groups()) < _GOOD_RUNC:
            message = f"runc {component['Version']} has known ways out of containers"
            yield _warning("runc", message, "upgrade to 1.2.8, 1.3.3 or later, or see that your system has patched it")


def _warning(check: str, message: str, advice: str) -> Finding:
    return Finding(level="warning", check=check, message=message, advice=advice)
