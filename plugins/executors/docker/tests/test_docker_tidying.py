"""What a killed server was in the middle of is removed by the next one; an image that is not to be had says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from docker_engine import docker
from sac_core.contracts.context import PluginContext
from sac_core.models.launch import NO_SECRETS, Launch, Template
from sac_core.testing.fixtures import eventually, new_key, temporary_context
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


async def test_an_image_that_is_not_to_be_had_fails_at_once(context: PluginContext, engine: str) -> None:
    launch = Launch(template=Template(image="127.0.0.1:1/none:1"))
    async with open_docker(DockerSettings(), context) as executor:
        key = new_key()
        await executor.ensure(key, launch, NO_SECRETS)

        async def failed() -> bool:
            return (await executor.observe(key)).phase == "failed"

        await eventually(failed, 30)
        seen = await executor.observe(key)
        assert (seen.reason, seen.hash) == ("ImageNotFound", launch.hash)
        assert "127.0.0.1:1" in seen.message
        assert [body.key async for body in executor.bodies()] == [key]
        assert (await executor.delete(key, generation=1, grace=1, purge=True)).phase == "absent"


async def test_an_engine_that_is_not_there_is_a_finding_with_advice(context: PluginContext) -> None:
    async with open_docker(DockerSettings(host="unix:///nowhere/docker.sock"), context) as executor:
        probe = await executor.probe()
    assert not probe.reachable
    assert ("there is no socket" in probe.findings[0].message, "systemctl" in probe.findings[0].advice) == (True, True)
