"""GPUs and limits of disk: asked of engines that have them, refused by name where they have not."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from docker_engine import PLAIN_IMAGE, PYTHON_IMAGE, docker, image_of
from private_engine import PrivateEngine, private_engine
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.errors import LaunchError, UnsupportedError
from sac_core.models.launch import Resources
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_executor_docker import plugin
from sac_executor_docker.abilities import NOTHING, disk, extras_of, gpus, unlimited
from sac_executor_docker.engine import Engine
from test_docker_agent import installed, server

pytestmark = pytest.mark.xdist_group("faults")

CDI = [{"Source": "cdi", "ID": f"nvidia.com/gpu={name}"} for name in ("all", "GPU-1f", "1", "0")]
GIB = 1 << 30


def test_gpus_that_an_engine_knows_by_name_are_asked_for_by_name() -> None:
    assert gpus(2, {"DiscoveredDevices": CDI}) == [
        {"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]}
    ]
    with pytest.raises(UnsupportedError, match="has 2 GPUs, not 3") as refused:
        gpus(3, {"DiscoveredDevices": CDI})
    assert refused.value.field == "spec.resources.gpus"


def test_none_are_asked_for_where_none_are_wanted() -> None:
    assert gpus(0, {"Runtimes": {"nvidia": {}}}) == []


@pytest.mark.parametrize(
    ("info", "driver"),
    [
        ({"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "extfs"]]}, r"overlay2 on extfs"),
        ({"Driver": "vfs"}, "vfs"),
    ],
)
def test_a_driver_that_limits_no_disk_is_named(info: dict[str, Any], driver: str) -> None:
    with pytest.raises(UnsupportedError, match=driver) as refused:
        disk(GIB, info)
    assert refused.value.field == "spec.resources.disk"
    assert "pquota" in str(refused.value.hint)


@pytest.mark.parametrize(
    "info", [{"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "xfs"]]}, {"Driver": "btrfs"}]
)
def test_a_driver_that_can_is_told_the_size(info: dict[str, Any]) -> None:
    assert disk(GIB, info) == {"size": str(GIB)}


def test_an_engine_that_limits_nothing_says_so_and_is_not_believed() -> None:
    none = {"MemoryLimit": False, "CpuCfsQuota": False, "PidsLimit": False}
    assert unlimited(none) == ["memory", "cpu", "processes"]
    assert unlimited({"MemoryLimit": True, "CpuCfsQuota": True, "PidsLimit": True}) == unlimited({}) == []


@pytest.mark.parametrize("limit", ["memory", "cpu", "processes"])
async def test_a_limit_that_would_not_be_held_is_refused(limit: str) -> None:
    class Rootless:
        """Says what an engine without cgroups says: no such engine runs in the tests."""

        async def about(self) -> dict[str, bool]:
            return {"MemoryLimit": False, "CpuCfsQuota": False, "PidsLimit": False}

    engine = cast(Engine, Rootless())
    assert await extras_of(engine, Resources()) == NOTHING
    with pytest.raises(UnsupportedError, match=f"limits no {limit}") as refused:
        await extras_of(engine, Resources.model_validate({limit: 64 << 20}))
    assert refused.value.field == f"spec.resources.{limit}"


async def refused(sac: Sac, resources: dict[str, int]) -> LaunchError:
    await sac.agents.create("box", {"executor": "docker", "resources": resources})
    with pytest.raises(LaunchError) as caught:
        await sac.agents.wait("box", timeout=60)
    await sac.agents.delete("box")
    await sac.agents.wait("box", "absent", timeout=60)
    return caught.value


async def test_a_real_engine_without_them_refuses_and_says_what_to_do(tmp_path: Path, python_image: str) -> None:
    about = json.loads(docker("info", "--format", "{{json .}}"))
    if "nvidia" in about["Runtimes"] or dict(about["DriverStatus"]).get("Backing Filesystem") != "extfs":
        pytest.skip("this engine has GPUs, or may limit disk")
    async with server(tmp_path / "data", python_image) as sac:
        error = await refused(sac, {"gpus": 1})
        assert (error.reason, "NVIDIA Container Toolkit" in error.message) == ("Unsupported", True)
        error = await refused(sac, {"disk": GIB})
        assert (error.reason, "spec.resources.disk" in error.message) == ("Unsupported", True)


@contextmanager
def hooked(tmp_path: Path) -> Iterator[PrivateEngine]:
    """An engine with NVIDIA's runtime, whose hook, which would bring the GPUs in, does nothing."""
    hook = tmp_path / "bin" / "nvidia-container-runtime-hook"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o755)
    runc = shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin") or "runc"
    with private_engine(options=("--add-runtime", f"nvidia={runc}"), path=str(hook.parent)) as engine:
        image_of(PYTHON_IMAGE, python=True, host=engine.host)
        yield engine


@pytest.mark.timeout(240)
async def test_an_engine_with_gpus_gives_as_many_as_are_asked_for(tmp_path: Path) -> None:
    with hooked(tmp_path) as engine:
        plugins = {"docker": {"image": PYTHON_IMAGE, "host": engine.host}}
        settings = Settings(data_dir=tmp_path / "data", plugins=plugins, default_executor="docker", resync=2.0)
        async with open_core(settings, plugins=[] if installed() else [("docker", plugin)]) as core:
            sac = core.sac(LOCAL)
            await sac.agents.create("box", {"resources": {"gpus": 2}})
            await sac.agents.wait("box", timeout=100)
            container = engine.docker("ps", "--quiet", "--filter", "label=sac/uid")
            asked = json.loads(engine.docker("inspect", container))[0]["HostConfig"]["DeviceRequests"]
            assert [(each["Count"], each["Capabilities"]) for each in asked] == [(2, [["gpu"]])]
            seen = (await sac.exec("box", ["cat", "/proc/1/environ"])).stdout
            assert "NVIDIA_VISIBLE_DEVICES=0,1" in seen  # what the engine tells the hook
            await sac.agents.delete("box")
            await sac.agents.wait("box", "absent", timeout=60)


@contextmanager
def limiting() -> Iterator[PrivateEngine]:
    """An engine whose data is on btrfs, which limits disk."""
    program = shutil.which("mkfs.btrfs", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        pytest.skip("mkfs.btrfs is not installed")
    with tempfile.TemporaryDirectory(prefix="sac-btrfs-") as folder:
        file, place = Path(folder, "file"), Path(folder, "place")
        place.mkdir()
        with file.open("wb") as made:
            made.truncate(2 * GIB)
        subprocess.run([program, "--quiet", file], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", file, place], check=True)
        try:
            with private_engine(options=("--storage-driver", "btrfs"), data=place) as engine:
                image_of(PLAIN_IMAGE, python=False, host=engine.host)
                yield engine
        finally:
            subprocess.run(["umount", "--lazy", place], check=False)


@pytest.mark.timeout(240)
async def test_a_limit_of_disk_holds_where_the_engine_has_one(tmp_path: Path) -> None:
    with limiting() as engine:
        plugins = {"docker": {"image": PLAIN_IMAGE, "host": engine.host}}
        settings = Settings(data_dir=tmp_path / "data", plugins=plugins, default_executor="docker", resync=2.0)
        async with open_core(settings, plugins=[] if installed() else [("docker", plugin)]) as core:
            sac = core.sac(LOCAL)
            await sac.agents.create("box", {"resources": {"disk": 300 << 20}})
            await sac.agents.wait("box", timeout=100)
            much = await sac.exec("box", ["dd", "if=/dev/urandom", "of=/tmp/much", "bs=1M", "count=400"])
            assert (much.code, "quota exceeded" in much.stderr.lower()) == (1, True)
            await sac.agents.delete("box")
            await sac.agents.wait("box", "absent", timeout=60)
