"""From a Launch to the configuration of a container. What keeps it in is a constant here, and set last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sac_core.models.body import Key, body_labels
from sac_core.models.launch import Launch, Secrets
from sac_core.models.secret_use import SECRETS_DIR
from sac_executor_docker.abilities import NOTHING, Extras
from sac_executor_docker.folders import Folder
from sac_executor_docker.holder_volume import HOLDER_PLACE, python_command
from sac_executor_docker.images import Image
from sac_executor_docker.naming import HOLDER_LABEL, READY_LABEL, network_name, volume_name
from sac_executor_docker.profiles import capabilities
from sac_executor_docker.settings import DockerOptions, DockerSettings
from sac_executor_docker.users import AGENT_USER, ROOT_USER

AGENT_PLACE = "/agent"
HOME, WORK = "/agent/home", "/agent/work"
RUN = "/run/sac"
SECRETS = "/run/sac/secrets"
SOCKET = "/run/sac/holder.sock"
_HOLDER_GRACE = "3600"
"""Longer than any: the engine's kill ends what did not end in time."""
_WAIT = ("tail", "-f", "/dev/null")


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a container is made from."""

    key: Key
    owner: str
    launch: Launch
    options: DockerOptions
    image: Image
    folder: Folder | None
    extras: Extras = NOTHING

    @property
    def user(self) -> str:
        """User and group of its processes: who owns the mounted folder, else nobody of this machine, else root."""
        if self.launch.template.profile == "dev-root":
            return ROOT_USER
        return self.folder.user if self.folder else AGENT_USER

    @property
    def work(self) -> str:
        """Where its processes begin."""
        return self.folder.path if self.folder else WORK

    @property
    def network(self) -> str | None:
        """The network of its tenant; None when it shall reach nothing."""
        return None if self.launch.template.egress.mode == "none" else network_name(self.owner, self.key.tenant)


def container(plan: Plan, settings: DockerSettings, secrets: Secrets) -> dict[str, Any]:
    """The configuration, as the engine's API takes it. Of ``secrets`` only whether there are any is told."""
    ready = not secrets.files
    marks = {HOLDER_LABEL: plan.image.python or "", READY_LABEL: "yes" if ready else "no"}
    labels = body_labels(plan.owner, plan.key, generation=plan.launch.generation, hash=plan.launch.hash)
    return {
        "Image": plan.image.id,
        "Entrypoint": _command(plan),
        "Cmd": [],
        "Env": [f"{name}={value}" for name, value in _environment(plan).items()],
        "User": plan.user,
        "WorkingDir": plan.work,
        "Hostname": "sac",
        "OpenStdin": False,
        "Tty": False,
        "Healthcheck": {"Test": ["NONE"]},
        "StopTimeout": 10,
        "HostConfig": host_config(plan, settings),
        "Labels": {**plan.launch.binding.labels, **marks, **labels},
    }


def _command(plan: Plan) -> list[str]:
    if plan.image.python is None:
        return list(_WAIT)
    options = {"dir": RUN, "uid": plan.key.uid, "cwd": plan.work, "foreground": "1", "grace": _HOLDER_GRACE}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [*python_command(plan.image.python, "start"), *words]


def _environment(plan: Plan) -> dict[str, str]:
    """What all its processes have; each gets the agent's own when it is opened. A holder adds the body's uid."""
    own = {"HOME": HOME, "LANG": "C.UTF-8", SECRETS_DIR: SECRETS}
    if plan.image.python is None:
        return {"HOME": HOME, "LANG": "C.UTF-8", "SAC_BODY": plan.key.uid}
    return own


def host_config(plan: Plan, settings: DockerSettings) -> dict[str, Any]:
    """What the engine limits and keeps out.

    The profile ``dev`` has a writable root and no other freedom, ``dev-root`` is root besides, with what apt needs.
    """
    resources, profile = plan.launch.template.resources, plan.launch.template.profile
    strict = profile == "strict"
    memory = resources.memory or settings.memory
    uid, _, gid = plan.user.partition(":")
    run = f"rw,noexec,nosuid,nodev,size=1m,mode=0700,uid={uid},gid={gid}"
    temporary = {"/tmp": "rw,nosuid,nodev,size=256m,mode=1777"} if strict else {}
    return {
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": capabilities(profile),
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": strict,
        "MaskedPaths": None,
        "ReadonlyPaths": None,
        "Tmpfs": {**temporary, RUN: run},
        "PidsLimit": resources.processes or settings.processes,
        "Memory": memory,
        "MemorySwap": memory,
        "NanoCpus": int((resources.cpu or settings.cpu) * 1e9),
        "OomKillDisable": False,
        "OomScoreAdj": 500,
        "Ulimits": [{"Name": "nofile", "Soft": 4096, "Hard": 8192}, {"Name": "core", "Soft": 0, "Hard": 0}],
        "NetworkMode": plan.network or "none",
        "IpcMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "CgroupnsMode": "private",
        "UsernsMode": "",
        "PublishAllPorts": False,
        "Devices": [],
        "DeviceRequests": list(plan.extras.devices),
        **({"StorageOpt": dict(plan.extras.storage)} if plan.extras.storage else {}),
        "Binds": [],
        "Mounts": _mounts(plan),
        "ExtraHosts": [],
        "Sysctls": {},
        "VolumesFrom": [],
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": False,
        "Init": True,
        "ShmSize": 67108864,
        "LogConfig": {"Type": "local", "Config": {"max-size": "10m", "max-file": "3"}},
    }


def _mounts(plan: Plan) -> list[dict[str, Any]]:
    labels = {"sac/owner": plan.owner, "sac/uid": plan.key.uid, "sac/tenant": plan.key.tenant}
    mounts = [_volume(volume_name(plan.key), AGENT_PLACE, labels)]
    mounts += [_volume(volume_name(plan.key, name), path, labels) for name, path in plan.options.volumes.items()]
    if plan.image.python is not None:
        mounts.append({**_volume(plan.image.volume, HOLDER_PLACE, {}), "ReadOnly": True})
    if plan.folder is not None:
        options = {"Propagation": "rprivate"}
        mounts.append({"Type": "bind", "Source": plan.folder.path, "Target": plan.folder.path, "BindOptions": options})
    return mounts


def _volume(name: str, path: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"Type": "volume", "Source": name, "Target": path, "VolumeOptions": {"NoCopy": True, "Labels": labels}}


def network(plan_owner: str, tenant: str) -> dict[str, Any]:
    """The network of a tenant, in which containers do not reach each other."""
    return {
        "name": network_name(plan_owner, tenant),
        "driver": "bridge",
        "options": {"com.docker.network.bridge.enable_icc": "false"},
        "check_duplicate": True,
        "labels": {"sac/owner": plan_owner, "sac/tenant": tenant, "sac/docker.role": "network"},
    }
