"""The configuration of a container: what keeps an agent in is there, whatever its spec says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sac_core.errors import InvalidError, LaunchError, UnsupportedError
from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Binding, Egress, Launch, Template
from sac_executor_docker.abilities import Extras
from sac_executor_docker.folders import workspace_folder
from sac_executor_docker.images import Image
from sac_executor_docker.refusals import check_launch
from sac_executor_docker.rendering import Plan, container, host_config
from sac_executor_docker.settings import DockerOptions, DockerSettings

KEY = Key("acme", "builder", "3d6f0c1e-0000-4000-8000-000000000001")
STRICT: dict[str, Any] = {
    "Privileged": False,
    "CapDrop": ["ALL"],
    "CapAdd": [],
    "SecurityOpt": ["no-new-privileges:true"],
    "ReadonlyRootfs": True,
    "MaskedPaths": None,
    "ReadonlyPaths": None,
    "Tmpfs": {
        "/tmp": "rw,nosuid,nodev,size=256m,mode=1777",
        "/run/sac": "rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=10001,gid=10001",
    },
    "PidsLimit": 512,
    "Memory": 2147483648,
    "MemorySwap": 2147483648,
    "NanoCpus": 2000000000,
    "OomKillDisable": False,
    "OomScoreAdj": 500,
    "Ulimits": [{"Name": "nofile", "Soft": 4096, "Hard": 8192}, {"Name": "core", "Soft": 0, "Hard": 0}],
    "IpcMode": "private",
    "PidMode": "",
    "UTSMode": "",
    "CgroupnsMode": "private",
    "UsernsMode": "",
    "PublishAllPorts": False,
    "Devices": [],
    "DeviceRequests": [],
    "Binds": [],
    "ExtraHosts": [],
    "Sysctls": {},
    "VolumesFrom": [],
    "RestartPolicy": {"Name": "no"},
    "AutoRemove": False,
    "Init": True,
    "ShmSize": 67108864,
    "LogConfig": {"Type": "local", "Config": {"max-size": "10m", "max-file": "3"}},
}


def plan(launch: Launch, *, python: str | None = "/usr/bin/python3") -> Plan:
    return Plan(KEY, "owner", launch, DockerOptions(), Image("sha256:1", python, "sac-holder-1"), None)


def strict(**template: Any) -> dict[str, Any]:
    return host_config(plan(Launch(template=Template(profile="strict", **template))), DockerSettings())


def test_the_strict_profile_is_exactly_this() -> None:
    made = strict()
    mounts, network = made.pop("Mounts"), made.pop("NetworkMode")
    assert made == STRICT
    assert network.startswith("sac-t-acme-")
    assert {(mount["Type"], mount["Target"], mount.get("ReadOnly", False)) for mount in mounts} == {
        ("volume", "/agent", False),
        ("volume", "/opt/sac", True),
    }


def test_the_dev_profile_differs_in_its_root_alone() -> None:
    dev = host_config(plan(Launch()), DockerSettings())
    differing = {name for name, value in strict().items() if dev[name] != value}
    assert differing == {"ReadonlyRootfs", "Tmpfs"}


def test_the_profile_of_root_adds_a_few_capabilities_to_dev_and_nothing_else() -> None:
    dev = host_config(plan(Launch()), DockerSettings())
    root = host_config(plan(Launch(template=Template(profile="dev-root"))), DockerSettings())
    assert {name for name, value in dev.items() if root[name] != value} == {"CapAdd", "Tmpfs"}
    assert root["CapAdd"] == ["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"]
    assert root["Tmpfs"] == {"/run/sac": "rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=0,gid=0"}
    made = container(plan(Launch(template=Template(profile="dev-root"))), DockerSettings(), NO_SECRETS)
    assert made["User"] == "0:0"


def test_the_profile_of_root_mounts_no_folder_of_this_machine(tmp_path: Path) -> None:
    launch = Launch(template=Template(profile="dev-root", cwd=str(tmp_path)))
    with pytest.raises(LaunchError, match=r"dev-root.*mounts no folder") as refused:
        workspace_folder(launch, DockerSettings(folders=(tmp_path,)), local=True, private=tmp_path / "sac")
    assert refused.value.field == "spec.workspace.folder"


def test_labels_of_users_do_not_replace_ours() -> None:
    labels = {"sac/owner": "mine", "sac/docker.python": "/bin/evil", "team": "red"}
    binding = Binding.model_construct(env={}, files={}, labels=labels, secrets=())  # the model itself refuses them
    made = container(plan(Launch(binding=binding)), DockerSettings(), NO_SECRETS)["Labels"]
    assert (made["sac/owner"], made["sac/docker.python"], made["team"]) == ("owner", "/usr/bin/python3", "red")


def test_gpus_and_a_limit_of_disk_are_asked_of_the_engine() -> None:
    extras = Extras([{"Driver": "", "Count": 2, "Capabilities": [["gpu"]]}], {"size": "1024"})
    made = host_config(replace(plan(Launch()), extras=extras), DockerSettings())
    assert made["DeviceRequests"] == [{"Driver": "", "Count": 2, "Capabilities": [["gpu"]]}]
    assert made["StorageOpt"] == {"size": "1024"}


def test_no_egress_is_no_network() -> None:
    assert strict(egress=Egress(mode="none"))["NetworkMode"] == "none"


@pytest.mark.parametrize(
    ("field", "template"),
    [
        ("spec.egress", {"egress": Egress(mode="allow", hosts=("example.com",))}),
    ],
)
def test_what_cannot_be_honoured_is_named(field: str, template: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError) as refused:
        check_launch(Launch(template=Template(**template)))
    assert refused.value.field == field


@pytest.mark.parametrize("path", ["/", "/run/sac", "/agent", "/data/../etc", "work"])
def test_volumes_have_no_place_that_is_sacs(path: str) -> None:
    with pytest.raises(InvalidError):
        check_launch(Launch(template=Template(options={"volumes": {"cache": path}})))


@pytest.mark.parametrize("folder", ["/", "/etc", "/var/run", "/run", "/proc/self"])
def test_folders_of_the_system_are_not_mounted(folder: str, tmp_path: Any) -> None:
    with pytest.raises(LaunchError) as refused:
        workspace_folder(Launch(template=Template(cwd=folder)), DockerSettings(), local=True, private=tmp_path)
    assert refused.value.field == "spec.workspace.folder"


def test_a_link_to_a_folder_is_not_followed(tmp_path: Any) -> None:
    (tmp_path / "link").symlink_to("/etc")
    launch = Launch(template=Template(cwd=str(tmp_path / "link")))
    with pytest.raises(LaunchError, match="another name"):
        workspace_folder(launch, DockerSettings(), local=True, private=tmp_path / "private")
