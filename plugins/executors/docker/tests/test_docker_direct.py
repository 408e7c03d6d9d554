"""Processes of a body without a holder: what nobody reads any more, and what is cancelled, leaves nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from docker_engine import docker
from sac_core.contracts.closing import closable
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Launch, Template
from sac_core.models.process import Command
from sac_core.testing.fixtures import eventually, new_key, temporary_context
from sac_executor_docker.opening import open_docker
from sac_executor_docker.settings import DockerSettings
from test_docker_agent import server

PATIENCE = 30.0


@pytest.fixture
async def executor(engine: str) -> AsyncIterator[Executor]:
    with temporary_context() as context:
        async with open_docker(DockerSettings(), context) as executor:
            yield executor


@pytest.fixture
async def body(executor: Executor, plain_image: str) -> AsyncIterator[Key]:
    """A running body of an image without Python."""
    key = new_key()

    async def runs() -> bool:
        return (await executor.ensure(key, Launch(template=Template(image=plain_image)), NO_SECRETS)).phase == "running"

    async def gone() -> bool:
        return (await executor.delete(key, generation=1, grace=0, purge=True)).phase == "absent"

    await eventually(runs, 60)
    yield key
    await eventually(gone, 60)


def processes(uid: str) -> str:
    """What runs in a body."""
    (container,) = docker("ps", "--quiet", "--filter", f"label=sac/uid={uid}").split()
    return docker("top", container, "-eo", "pid,args")


async def test_an_archive_that_is_left_in_the_middle_leaves_no_process(tmp_path: Path, plain_image: str) -> None:
    async with server(tmp_path / "data", plain_image) as sac:
        await sac.agents.create("box", {"executor": "docker"})
        uid = (await sac.agents.wait("box", timeout=60)).metadata.uid
        await sac.exec("box", ["sh", "-c", "head -c 30000000 /dev/urandom > large"])
        with anyio.fail_after(PATIENCE):
            async with aclosing(closable(sac.files.get("box", "large"))) as archive:
                await anext(archive)
                assert "tar" in processes(uid)
        assert "tar" not in processes(uid)
        assert (await sac.exec("box", ["echo", "it works"])).stdout == "it works\n"
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)


async def test_a_process_whose_output_nobody_reads_is_signalled_and_tells_its_end(
    executor: Executor, body: Key
) -> None:
    process = await executor.open_process(body, "p1", Command(argv=("yes",), overflow="block"))
    output = process.output()
    await anext(output)
    with anyio.fail_after(PATIENCE):
        await process.signal("KILL")
        async for _ in output:
            pass
        assert (await process.wait()).signal == "KILL"


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.02, 0.04])
async def test_a_start_that_is_cancelled_leaves_no_process(executor: Executor, body: Key, delay: float) -> None:
    with anyio.move_on_after(delay) as scope:
        process = await executor.open_process(body, "p1", Command(argv=("sleep", "1234"), overflow="block"))
    if not scope.cancelled_caught:
        await process.aclose()
    assert "sleep 1234" not in processes(body.uid)
