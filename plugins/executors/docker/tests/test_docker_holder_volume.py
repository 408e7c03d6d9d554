"""What a holder starts from was compiled by its own image, once; no body changes it, and no other image runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from docker_bodies import remove, running
from docker_engine import docker
from sac_core.contracts.context import PluginContext
from sac_core.models.body import Key
from sac_core.testing.fixtures import eventually, temporary_context
from sac_executor_docker.executor import DockerExecutor
from sac_executor_docker.holder_volume import HOLDER_PLACE, HolderVolumes, programs, python_command
from sac_executor_docker.opening import open_docker
from sac_executor_docker.settings import DockerSettings

PROGRAMS = programs()
_CACHED = "import sys; sys.path.append(sys.argv[1]); import json, program; print(json.__cached__, program.__cached__)"


@pytest.fixture
def context() -> Iterator[PluginContext]:
    with temporary_context() as context:
        yield context


@pytest.fixture
def lone_image(python_image: str) -> Iterator[str]:
    """An image of this test alone: nothing is compiled for it yet."""
    name = f"sac-test/lone:{uuid4().hex[:8]}"
    docker("build", "--tag", name, "-", stdin=f"FROM {python_image}\nLABEL lone={name}\n".encode())
    yield name
    docker("rmi", "--force", name)


def container_of(key: Key) -> str:
    return docker("ps", "--quiet", "--no-trunc", "--filter", f"label=sac/uid={key.uid}")


def volume_of(key: Key) -> str:
    """The holder's volume in a body."""
    mounts = json.loads(docker("inspect", "--format", "{{json .Mounts}}", container_of(key)))
    return next(str(mount["Name"]) for mount in mounts if mount["Destination"] == HOLDER_PLACE)


async def holds(executor: DockerExecutor, key: Key) -> bool:
    """Whether the holder of a body answers."""
    stream = await executor.open_holder(key)
    if stream is not None:
        await stream.aclose()
    return stream is not None


async def test_a_holder_finds_compiled_all_that_it_imports(context: PluginContext, python_image: str) -> None:
    async with open_docker(DockerSettings(), context) as executor:
        key = await running(executor, python_image)
        words = [*python_command("python3", "start")[:-1], "-c", _CACHED, HOLDER_PLACE]
        cached = docker("exec", container_of(key), *words).split()
        assert len(cached) == 2
        assert all(path.startswith(f"{HOLDER_PLACE}/compiled/") for path in cached)
        assert docker("exec", container_of(key), "ls", *cached).split() == sorted(cached)
        assert docker("exec", container_of(key), "id", "-u") == "10001"
        with pytest.raises(RuntimeError, match="Read-only"):
            docker("exec", "--user", "0", container_of(key), "touch", f"{HOLDER_PLACE}/compiled/more")
        await remove(executor, key)


async def test_what_one_image_compiled_is_in_no_container_of_another(
    context: PluginContext, python_image: str, other_image: str
) -> None:
    async with open_docker(DockerSettings(), context) as executor:
        one, other = await running(executor, python_image), await running(executor, other_image)
        assert volume_of(one) != volume_of(other)
        await remove(executor, one)
        await remove(executor, other)


async def test_an_image_that_compiles_nothing_has_holders_all_the_same(
    context: PluginContext, lone_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"compile.py": b"raise SystemExit(3)"}
    monkeypatch.setattr("sac_executor_docker.holder_volume.programs", lambda: {**PROGRAMS, **broken})
    async with open_docker(DockerSettings(), context) as executor:
        key = await running(executor, lone_image)
        assert await holds(executor, key)
        volume = volume_of(key)
        await remove(executor, key)
    docker("volume", "rm", volume)


async def test_a_volume_that_somebody_removed_is_made_again(context: PluginContext, lone_image: str) -> None:
    async with open_docker(DockerSettings(), context) as executor:
        key = await running(executor, lone_image)
        volume = volume_of(key)
        await remove(executor, key)
        docker("volume", "rm", volume)
        again = await running(executor, lone_image)
        assert volume_of(again) == volume
        assert await holds(executor, again)
        await remove(executor, again)
    docker("volume", "rm", volume)


async def test_volumes_of_images_that_are_gone_are_removed(context: PluginContext, lone_image: str) -> None:
    async with open_docker(DockerSettings(), context) as executor:
        key = await running(executor, lone_image)
        volume = volume_of(key)
        await remove(executor, key)
    docker("rmi", "--force", lone_image)
    async with open_docker(DockerSettings(), context):
        await eventually(lambda: volume not in docker("volume", "ls", "--quiet"), 20)


async def test_volumes_of_images_that_are_there_stay(context: PluginContext, lone_image: str) -> None:
    async with open_docker(DockerSettings(), context) as executor:
        key = await running(executor, lone_image)
        volume = volume_of(key)
        await remove(executor, key)
        await HolderVolumes(executor._engine, executor._streams, context.owner).sweep()
        assert volume in docker("volume", "ls", "--quiet")
    docker("volume", "rm", volume)
