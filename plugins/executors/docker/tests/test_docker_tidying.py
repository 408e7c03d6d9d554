"""What a killed server was in the middle of is removed by the next one; a registry that is not there is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from docker_bodies import remove, running
from docker_engine import docker
from sac_core.contracts.context import PluginContext
from sac_core.errors import UnavailableError
from sac_core.models.body import Observed
from sac_core.models.launch import NO_SECRETS, Launch, Template
from sac_core.testing.fixtures import eventually, new_key, temporary_context
from sac_executor_docker.engine import Engine
from sac_executor_docker.holder_volume import HolderVolumes
from sac_executor_docker.images import Images
from sac_executor_docker.opening import open_docker
from sac_executor_docker.settings import DockerSettings


@pytest.fixture
def context() -> Iterator[PluginContext]:
    with temporary_context() as context:
        yield context


async def test_a_look_that_was_left_behind_is_removed(context: PluginContext, python_image: str) -> None:
    labels = ("--label", f"sac/owner={context.owner}", "--label", "sac/docker.role=look")
    left = docker("create", *labels, python_image, "none")
    async with open_docker(DockerSettings(), context):
        await eventually(lambda: left[:12] not in docker("ps", "--all", "--quiet"), 20)


@pytest.mark.parametrize(("cls", "name"), [(Images, "_python_of"), (HolderVolumes, "_is_there")])
async def test_a_look_that_is_taken_away_by_who_tidies_up_is_taken_again(
    context: PluginContext, python_image: str, monkeypatch: pytest.MonkeyPatch, cls: type, name: str
) -> None:
    taken: list[str] = []
    step = getattr(cls, name)

    async def slower(self: object, container: str, *arguments: object) -> object:
        if not taken:
            taken.append(docker("rm", "--force", container))
        return await step(self, container, *arguments)

    monkeypatch.setattr(cls, name, slower)
    async with open_docker(DockerSettings(), context) as executor:
        key = await running(executor, python_image)
        assert len(taken) == 1
        await remove(executor, key)


async def test_a_container_whose_maker_died_before_it_started_has_its_folders_all_the_same(
    context: PluginContext, plain_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, launch = new_key(), Launch(template=Template(image=plain_image))
    call = Engine.call

    async def dying(self: Engine, method: str, *arguments: Any, **named: Any) -> Any:
        if method == "put_archive":
            await anyio.sleep_forever()
        return await call(self, method, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Engine, "call", dying)
        async with open_docker(DockerSettings(), context) as executor:
            await executor.ensure(key, launch, NO_SECRETS)
    async with open_docker(DockerSettings(), context) as executor:
        await running(executor, plain_image, key)
        container = docker("ps", "--quiet", "--filter", f"label=sac/uid={key.uid}")
        owners = docker("exec", container, "stat", "-c", "%u", "/agent/home", "/agent/work").split()
        assert owners == ["10001", "10001"]
        await remove(executor, key)


async def test_an_image_whose_registry_is_not_there_is_asked_for_again(context: PluginContext, engine: str) -> None:
    launch = Launch(template=Template(image="127.0.0.1:1/none:1"))
    async with open_docker(DockerSettings(), context) as executor:
        key = new_key()
        await executor.ensure(key, launch, NO_SECRETS)

        async def told() -> Observed | None:
            seen = await executor.observe(key)
            return seen if seen.message else None

        seen = await eventually(told, 60)
        assert (seen.phase, seen.reason) == ("absent", "ImageNotPulled")
        assert "127.0.0.1:1" in seen.message
        assert [body.key async for body in executor.bodies()] == []
        with pytest.raises(UnavailableError) as caught:
            await executor.ensure(key, launch, NO_SECRETS)
        assert (caught.value.reason, "127.0.0.1:1" in caught.value.message) == ("ImageNotPulled", True)
        assert (await executor.ensure(key, launch, NO_SECRETS)).phase == "pending"
        assert (await executor.delete(key, generation=1, grace=1, purge=True)).phase == "absent"


async def test_an_engine_that_is_not_there_is_a_finding_with_advice(context: PluginContext) -> None:
    async with open_docker(DockerSettings(host="unix:///nowhere/docker.sock"), context) as executor:
        probe = await executor.probe()
    assert not probe.reachable
    assert ("there is no socket" in probe.findings[0].message, "systemctl" in probe.findings[0].advice) == (True, True)
