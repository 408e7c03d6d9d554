"""What an engine may do to us: be killed, restarted, frozen, have its containers removed, paused or out of memory.

An engine of the tests' own is the victim; SAC, with agents on it, has to tell what happened and to heal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from docker_engine import PYTHON_IMAGE, image_of
from private_engine import PrivateEngine, private_engine
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.models.agent import Agent
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(240)]

PATIENCE = 90.0


@pytest.fixture(scope="module")
def victim() -> Iterator[PrivateEngine]:
    with private_engine() as engine:
        image_of(PYTHON_IMAGE, python=True, host=engine.host)
        yield engine


@asynccontextmanager
async def server(data: Path, engine: PrivateEngine) -> AsyncIterator[Sac]:
    """SAC on the victim, which it asks for news often."""
    plugins = {"docker": {"image": PYTHON_IMAGE, "host": engine.host, "timeout": 5}}
    settings = Settings(data_dir=data, plugins=plugins, default_executor="docker", resync=1.0)
    async with open_core(settings) as core:
        yield core.sac(LOCAL)


@pytest.fixture
async def sac(tmp_path: Path, victim: PrivateEngine) -> AsyncIterator[Sac]:
    async with server(tmp_path / "data", victim) as sac:
        yield sac
        for agent in (await sac.agents.list()).items:
            await sac.agents.delete(agent.metadata.name)
            await sac.agents.wait(agent.metadata.name, "absent", timeout=PATIENCE)
    assert victim.docker("ps", "--all", "--quiet", "--filter", "label=sac/uid") == ""


async def running(sac: Sac, name: str = "box", **spec: object) -> str:
    """A running agent; its container."""
    await sac.agents.create(name, spec)
    await sac.agents.wait(name, timeout=PATIENCE)
    return (await sac.agents.get(name)).metadata.uid


def containers(engine: PrivateEngine, uid: str) -> list[str]:
    """The containers of an agent that run."""
    return engine.docker("ps", "--quiet", "--no-trunc", "--filter", f"label=sac/uid={uid}").split()


async def works(sac: Sac, name: str = "box") -> None:
    """A command runs in the agent, as soon as it can."""

    async def answered() -> bool:
        try:
            return (await sac.exec(name, ["sh", "-c", "echo it works"])).stdout == "it works\n"
        except Exception:
            return False

    await eventually(answered, PATIENCE)


async def told(sac: Sac, *words: str, name: str = "box") -> None:
    """The agent's timeline or status says this."""

    async def said() -> bool:
        agent, timeline = await sac.agents.get(name), await sac.agents.timeline(name)
        text = agent.model_dump_json() + timeline.model_dump_json()
        return all(word in text for word in words)

    await eventually(said, PATIENCE, describe=f"{words} in what is told of {name}")


def phase_of(agent: Agent) -> str:
    return agent.status.phase


async def test_an_engine_that_is_restarted_ends_containers_and_they_are_started_again(
    sac: Sac, victim: PrivateEngine
) -> None:
    uid = await running(sac)
    await sac.exec("box", ["sh", "-c", "echo kept > notes"])
    await anyio.to_thread.run_sync(victim.restart)
    await works(sac)
    assert (await sac.exec("box", ["cat", "notes"])).stdout == "kept\n"
    assert len(containers(victim, uid)) == 1


async def test_an_engine_that_is_killed_and_comes_back_has_one_body_of_each(sac: Sac, victim: PrivateEngine) -> None:
    uid = await running(sac)
    await anyio.to_thread.run_sync(victim.kill)
    await sac.agents.create("late", {})
    await anyio.to_thread.run_sync(victim.start)
    await works(sac)
    assert len(containers(victim, uid)) == 1
    await sac.agents.wait("late", timeout=PATIENCE)


async def test_a_frozen_engine_is_told_and_harms_nobody_else(sac: Sac, victim: PrivateEngine) -> None:
    await running(sac)
    await sac.agents.create("other", {"executor": "process"})
    await sac.agents.wait("other", timeout=PATIENCE)
    victim.freeze()
    try:
        await told(sac, "ExecutorReachable")
        agent = await sac.agents.get("box")
        assert agent.status.phase not in ("Failed", "Completed")
        with anyio.fail_after(20):
            await works(sac, "other")
            await sac.agents.stop("other")
            await sac.agents.wait("other", "Stopped", timeout=20)
    finally:
        victim.thaw()
    await works(sac)


async def test_a_container_that_is_removed_is_made_again_and_told(sac: Sac, victim: PrivateEngine) -> None:
    uid = await running(sac)
    (first,) = containers(victim, uid)
    victim.docker("rm", "--force", first)

    def another() -> bool:
        return containers(victim, uid) not in ([], [first])

    await eventually(another, PATIENCE)
    await works(sac)
    assert len(containers(victim, uid)) == 1


async def test_a_container_that_runs_out_of_memory_is_told_and_started_again(sac: Sac, victim: PrivateEngine) -> None:
    uid = await running(sac, resources={"memory": 64 << 20})
    (first,) = containers(victim, uid)
    await sac.exec("box", ["sh", "-c", "true"])
    hungry = "import os; os.kill(1, 0); held = [bytearray(1 << 20) for _ in range(4096)]"
    done = await sac.exec("box", ["python3", "-c", hungry])
    assert done.code != 0
    await works(sac)
    assert containers(victim, uid) == [first] or len(containers(victim, uid)) == 1


async def test_a_paused_container_is_told_and_goes_on_when_it_is_let(sac: Sac, victim: PrivateEngine) -> None:
    uid = await running(sac)
    (container,) = containers(victim, uid)
    victim.docker("pause", container)
    await told(sac, "paused from outside")
    victim.docker("unpause", container)
    await works(sac)
    assert containers(victim, uid) == [container]


async def test_a_paused_container_can_be_deleted(sac: Sac, victim: PrivateEngine) -> None:
    uid = await running(sac)
    victim.docker("pause", *containers(victim, uid))
    await sac.agents.delete("box")
    await sac.agents.wait("box", "absent", timeout=PATIENCE)
