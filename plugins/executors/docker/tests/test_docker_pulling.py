"""Pulls from a real registry by a real engine: progress, logins, and what a registry refuses."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from docker_engine import busybox, docker
from registry import Registry, running_registry
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.core import open_core
from sac_core.models.body import Key, Observed
from sac_core.models.launch import NO_SECRETS, Launch, Template
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually, new_key, temporary_context
from sac_executor_docker import plugin
from sac_executor_docker.opening import open_docker
from sac_executor_docker.settings import DockerSettings
from test_docker_agent import installed

FILES = {"bin/busybox": busybox(), "bin/tail": busybox(), "random": os.urandom(8 << 20)}
LOGIN = ("reader", "secret-of-the-registry")


@pytest.fixture
def context() -> Iterator[PluginContext]:
    with temporary_context() as context:
        yield context


@pytest.fixture
async def executor(context: PluginContext, engine: str) -> AsyncIterator[Executor]:
    async with open_docker(DockerSettings(), context) as executor:
        yield executor


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as registry:
        yield registry


@pytest.fixture
def private() -> Iterator[Registry]:
    with running_registry(LOGIN) as registry:
        yield registry


async def phase(executor: Executor, key: Key, *phases: str) -> Observed:
    async def seen() -> Observed | None:
        found = await executor.observe(key)
        return found if found.phase in phases else None

    found = await eventually(seen, 60)
    assert isinstance(found, Observed)
    return found


async def gone(executor: Executor, key: Key, image: str) -> None:
    async def absent() -> bool:
        return (await executor.delete(key, generation=1, grace=0, purge=True)).phase == "absent"

    await eventually(absent, 60)
    docker("rmi", "--force", image)


async def test_a_pull_tells_how_far_it_is_and_the_body_runs(executor: Executor, registry: Registry) -> None:
    image, key = registry.push(f"slow-{uuid4().hex[:8]}", FILES), new_key()
    launch = Launch(template=Template(image=image))
    await executor.ensure(key, launch, NO_SECRETS)

    async def told() -> bool:
        progress = re.fullmatch(r"pulling the image: (\d+) of (\d+) MiB", (await executor.observe(key)).progress)
        return progress is not None and 0 < int(progress[1]) < int(progress[2])

    await eventually(told, 60, describe="a progress between nothing and all")
    registry.rest.set()
    seen = await phase(executor, key, "running", "failed")
    assert (seen.phase, seen.message, seen.hash) == ("running", "", launch.hash)
    await gone(executor, key, image)


async def test_an_image_that_is_not_in_the_registry_fails_at_once(executor: Executor, registry: Registry) -> None:
    key = new_key()
    await executor.ensure(key, Launch(template=Template(image=f"127.0.0.1:{registry.port}/none:1")), NO_SECRETS)
    seen = await phase(executor, key, "failed", "running")
    assert (seen.phase, seen.reason) == ("failed", "ImageNotFound")
    assert "manifest unknown" in seen.message
    assert "check the name and the tag" in seen.message


async def test_a_registry_that_is_down_for_a_time_is_asked_again_and_told(
    tmp_path: Path, engine: str, registry: Registry
) -> None:
    image = registry.push(f"later-{uuid4().hex[:8]}", FILES)
    registry.down = True
    registry.rest.set()
    settings = Settings(data_dir=tmp_path / "data", resync=2.0)
    own: list[tuple[str, object]] = [] if installed() else [("docker", plugin)]
    async with open_core(settings, plugins=own) as core:
        sac = core.sac(LOCAL)

        async def told() -> str:
            status = (await sac.agents.get("a1")).status
            return status.message if (status.phase, status.reason) == ("Starting", "ImageNotPulled") else ""

        await sac.agents.create("a1", {"executor": "docker", "image": image})
        message = await eventually(told, 60)
        assert image in message
        assert "503" in message
        assert message.endswith("; it is tried again")
        registry.down = False
        status = (await sac.agents.wait("a1", timeout=90)).status
        assert (status.message, status.restarts) == ("", 0)
        await sac.agents.delete("a1")
        await sac.agents.wait("a1", "absent", timeout=60)
    docker("rmi", "--force", image)


async def test_a_private_image_needs_a_login(executor: Executor, private: Registry) -> None:
    image, key = private.push(f"private-{uuid4().hex[:8]}", FILES), new_key()
    private.rest.set()
    await executor.ensure(key, Launch(template=Template(image=image)), NO_SECRETS)
    seen = await phase(executor, key, "failed", "running")
    assert (seen.phase, seen.reason) == ("failed", "ImageNotFound")
    assert "no basic auth credentials" in seen.message
    assert "docker login" in seen.message


async def test_the_users_login_is_used(
    context: PluginContext, private: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    image, key = private.push(f"private-{uuid4().hex[:8]}", FILES), new_key()
    private.rest.set()
    login = base64.b64encode(":".join(LOGIN).encode()).decode()
    config = {"auths": {f"127.0.0.1:{private.port}": {"auth": login}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    async with open_docker(DockerSettings(), context) as executor:
        await executor.ensure(key, Launch(template=Template(image=image)), NO_SECRETS)
        seen = await phase(executor, key, "running", "failed")
        assert (seen.phase, seen.message) == ("running", "")
        await gone(executor, key, image)
