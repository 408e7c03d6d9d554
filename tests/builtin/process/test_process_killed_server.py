"""kill -9 of the server in the midst of starting, replacing and deleting bodies: nothing lives that is not listed."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from sac_core.builtin.process import host
from sac_core.builtin.process.executor import ProcessExecutor, open_process_executor
from sac_core.builtin.process.folder import BodyFolder
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.contracts.context import PluginContext
from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Launch, Template
from sac_core.testing.fixtures import MemoryState

pytestmark = pytest.mark.skipif(not host.LINUX, reason="holders are looked for in /proc")

KEY = Key("default", "a1", "0f1e2d3c4b5b")

SERVER = """
import sys, anyio
from pathlib import Path
from sac_core.builtin.process.executor import open_process_executor
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.contracts.context import PluginContext
from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Launch, Template

KEY = Key(*sys.argv[2:5])

async def main():
    async with open_process_executor(ProcessSettings(), PluginContext("owner-1", Path(sys.argv[1]), None)) as executor:
        print("ready", flush=True)
        for generation in range(1, 1000):
            launch = Launch(generation=generation, template=Template(restarted_at=str(generation)))
            hash, phase = "", ""
            while hash != launch.hash or phase != "running":
                await anyio.sleep(0.001)
                seen = await executor.ensure(KEY, launch, NO_SECRETS)
                hash, phase = seen.hash, seen.phase
            if generation % 2:
                while (await executor.delete(KEY, generation=generation, grace=0, purge=True)).phase != "absent":
                    await anyio.sleep(0.001)

anyio.run(main)
"""


def holders(folder: Path) -> list[int]:
    """Processes that are holders, or on their way to be, of bodies in the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_text(errors="replace").split("\0")
        except OSError:
            continue
        pid = int(path.parent.name)
        if "--dir" in arguments and str(folder / "bodies" / KEY.uid) in arguments and host.start_of(pid) is not None:
            found.append(pid)
    return found


async def brought_to(executor: ProcessExecutor, phase: str) -> None:
    launch = Launch(generation=5000, template=Template(restarted_at="after"))
    with anyio.fail_after(20):
        while True:
            if phase == "running":
                seen = await executor.ensure(KEY, launch, NO_SECRETS)
            else:
                seen = await executor.delete(KEY, generation=5000, grace=0, purge=True)
            if seen.phase == phase and (phase == "absent" or seen.hash == launch.hash):
                return
            await anyio.sleep(0.005)


async def kill_at_some_point(folder: Path, seed: int) -> None:
    command = [sys.executable, "-c", SERVER, str(folder), *KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: ASYNC220
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        await anyio.sleep(random.Random(seed).random() * 0.2)
        server.kill()


@pytest.mark.parametrize("seed", range(6))
async def test_what_lives_is_listed_and_comes_under_control(tmp_path: Path, seed: int) -> None:
    await kill_at_some_point(tmp_path, seed)
    context = PluginContext("owner-1", tmp_path, MemoryState())
    left = holders(tmp_path)
    async with open_process_executor(ProcessSettings(), context) as executor:
        listed = [body.key async for body in executor.bodies()]
        assert listed == [KEY] or not left
        await brought_to(executor, "running")
        assert len(holders(tmp_path)) == 1
        await brought_to(executor, "absent")
        assert holders(tmp_path) == []
        assert host.strays(KEY.uid) == {}
        assert [body async for body in executor.bodies()] == []


async def test_an_end_that_was_decided_and_not_begun_does_not_hold_up_the_next_body(tmp_path: Path) -> None:
    """The server is killed between the two: the holder was never asked."""
    context = PluginContext("owner-1", tmp_path, MemoryState())
    async with open_process_executor(ProcessSettings(), context) as executor:
        try:
            await brought_to(executor, "running")
            folder = BodyFolder(tmp_path / "bodies", KEY.uid)
            record = folder.record()
            assert record is not None
            folder.commit(record.model_copy(update={"state": "deleting", "generation": 1}))
            await brought_to(executor, "running")
        finally:
            await brought_to(executor, "absent")
