"""The process executor's life of a body, with real holders."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest

from sac_core.builtin.process import host
from sac_core.builtin.process.executor import ProcessExecutor, open_process_executor
from sac_core.builtin.process.folder import BodyFolder
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.builtin.process.starting import holder_program
from sac_core.contracts.context import Entry, PluginContext, State
from sac_core.errors import ConflictError, LaunchError, LostError, UnsupportedError
from sac_core.held import open_link
from sac_core.models.body import Key, Observed
from sac_core.models.launch import NO_SECRETS, Egress, Launch, Resources, Secrets, Template
from sac_core.models.process import Command, TtySize

KEY = Key("default", "a1", "0f1e2d3c4b5a")
LAUNCH = Launch(template=Template())
OTHER = Launch(generation=2, template=Template(restarted_at="later"))


class NoState(State):
    """The process executor keeps nothing in it."""

    async def get(self, key: str) -> Entry | None:
        return None

    async def put(
        self, key: str, value: dict[str, Any], *, expected: int | None = None, ttl: float | None = None
    ) -> Entry:
        raise AssertionError("nothing is kept")

    async def take(self, key: str) -> Entry | None:
        return None

    async def delete(self, key: str) -> None:
        return None


Opener = Callable[[], AbstractAsyncContextManager[ProcessExecutor]]


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    folder = tmp_path / ("long" * 40) / "process"
    return lambda: open_process_executor(ProcessSettings(), PluginContext("owner-1", folder, NoState()))


@pytest.fixture
async def executor(opener: Opener) -> AsyncIterator[ProcessExecutor]:
    async with opener() as executor:
        yield executor
        async for body in executor.bodies():
            await deleted(executor, body.key, generation=99)


async def until(executor: ProcessExecutor, phase: str, key: Key = KEY) -> Observed:
    with anyio.fail_after(15):
        while True:
            seen = await executor.observe(key)
            if seen.phase == phase:
                return seen
            await anyio.sleep(0.01)


async def running(executor: ProcessExecutor, launch: Launch = LAUNCH) -> Observed:
    """Ensure as a reconciler does: again and again, until it runs as it should."""
    with anyio.fail_after(15):
        while True:
            seen = await executor.ensure(KEY, launch, NO_SECRETS)
            if seen.phase == "running" and seen.hash == launch.hash:
                return seen
            await anyio.sleep(0.01)


async def deleted(executor: ProcessExecutor, key: Key = KEY, *, generation: int = 1, purge: bool = True) -> None:
    with anyio.fail_after(15):
        while True:
            if (await executor.delete(key, generation=generation, grace=1, purge=purge)).phase == "absent":
                return
            await anyio.sleep(0.01)


async def soon(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while True:
            if condition():
                return
            await anyio.sleep(0.01)


def folder_of(executor: ProcessExecutor) -> BodyFolder:
    return BodyFolder(executor._bodies, KEY.uid)


def holder_pid(executor: ProcessExecutor) -> int:
    holder = folder_of(executor).holder()
    assert holder is not None
    return holder.pid


def arguments_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


async def gone(pid: int) -> None:
    await soon(lambda: host.start_of(pid) is None)


async def test_a_life(executor: ProcessExecutor) -> None:
    assert (await executor.observe(KEY)).phase == "absent"
    first = await executor.ensure(KEY, LAUNCH, NO_SECRETS)
    assert first.phase in ("pending", "running")
    await until(executor, "running")
    pid = holder_pid(executor)
    assert (await executor.ensure(KEY, LAUNCH, NO_SECRETS)).phase == "running"
    assert holder_pid(executor) == pid
    assert (await executor.stop(KEY, generation=1, grace=1)).phase in ("terminating", "stopped")
    assert (await until(executor, "stopped")).kept == "disk"
    await gone(pid)
    await running(executor)
    assert holder_pid(executor) != pid
    await deleted(executor)
    assert [body async for body in executor.bodies()] == []
    assert not folder_of(executor).path.exists()


async def test_a_new_hash_replaces_with_one_alive(executor: ProcessExecutor) -> None:
    await running(executor)
    old = holder_pid(executor)
    assert (await executor.ensure(KEY, OTHER, NO_SECRETS)).phase == "terminating"
    seen = await running(executor, OTHER)
    assert host.start_of(old) is None
    assert (seen.hash, seen.generation) == (OTHER.hash, 2)
    with pytest.raises(ConflictError):
        await executor.ensure(KEY, LAUNCH, NO_SECRETS)
    with pytest.raises(ConflictError):
        await executor.stop(KEY, generation=1, grace=1)
    with pytest.raises(ConflictError):
        await executor.delete(KEY, generation=1, grace=1, purge=True)


async def test_many_ensures_at_once_are_one_body(executor: ProcessExecutor) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(executor.ensure, KEY, LAUNCH, NO_SECRETS)
    await until(executor, "running")
    assert len([body async for body in executor.bodies()]) == 1


async def test_processes_through_the_holder_end_with_the_body(executor: ProcessExecutor) -> None:
    await running(executor)
    stream = await executor.open_holder(KEY)
    assert stream is not None
    async with open_link(stream) as link:
        assert link.hello.uid == KEY.uid
        process = await link.open_process("p", Command(argv=("pwd",), overflow="block"))
        assert b"".join([c.data async for c in process.output()]).strip() == str(folder_of(executor).work).encode()
        sleeper = await link.open_process("s", Command(argv=("sh", "-c", "setsid sleep 600 & exec sleep 600")))
        await soon(lambda: len(host.strays(KEY.uid)) == 2)
        await executor.delete(KEY, generation=1, grace=1, purge=True)
        assert (await sleeper.wait()).signal == "TERM"
        await deleted(executor)
    assert host.strays(KEY.uid) == {}
    with pytest.raises(LostError):
        await executor.open_holder(KEY)


async def test_a_killed_holder_is_lost_and_leaves_no_strays(executor: ProcessExecutor) -> None:
    await running(executor)
    stream = await executor.open_holder(KEY)
    assert stream is not None
    async with open_link(stream) as link:
        await link.open_process("s", Command(argv=("sh", "-c", "setsid sleep 600 & exec sleep 600")))
        await soon(lambda: len(host.strays(KEY.uid)) == 2)
        os.kill(holder_pid(executor), signal.SIGKILL)
        with anyio.fail_after(20):
            await link.closed.wait()
    seen = await until(executor, "failed")
    assert seen.reason == "Lost"
    before = host.strays(KEY.uid)
    assert before, "the test needs a stray"
    await running(executor)
    assert not set(before) & set(host.strays(KEY.uid))


async def test_deleting_the_body_of_a_killed_holder_kills_its_strays(executor: ProcessExecutor) -> None:
    await running(executor)
    stream = await executor.open_holder(KEY)
    assert stream is not None
    async with open_link(stream) as link:
        await link.open_process("s", Command(argv=("sh", "-c", "setsid sleep 600 & exec sleep 600")))
        await soon(lambda: len(host.strays(KEY.uid)) == 2)
        os.kill(holder_pid(executor), signal.SIGKILL)
        with anyio.fail_after(20):
            await link.closed.wait()
    assert host.strays(KEY.uid), "the test needs a stray"
    await deleted(executor)
    assert host.strays(KEY.uid) == {}


async def test_the_holder_is_compiled_with_the_interpreter_that_runs_it(tmp_path: Path) -> None:
    settings, context = ProcessSettings(python=sys.executable), PluginContext("owner-1", tmp_path, NoState())
    async with open_process_executor(settings, context) as executor:
        await running(executor)
        assert str(tmp_path / "holder.pyc") in arguments_of(holder_pid(executor))
        await deleted(executor)
    broken = ProcessSettings(python="/no/such/python")
    assert holder_program(tmp_path, broken).suffix == ".py"


async def test_found_again_after_the_server(opener: Opener) -> None:
    async with opener() as first:
        await running(first)
        pid = holder_pid(first)
    async with opener() as second:
        assert [(body.key, body.phase) async for body in second.bodies()] == [(KEY, "running")]
        assert (await second.ensure(KEY, LAUNCH, NO_SECRETS)).phase == "running"
        assert holder_pid(second) == pid
        await deleted(second)


async def test_a_body_that_was_committed_and_never_started_is_listed(executor: ProcessExecutor) -> None:
    folder_of(executor).commit(executor._new_record(KEY, LAUNCH))
    assert [body.phase async for body in executor.bodies()] == ["failed"]
    await running(executor)


async def test_deleting_without_purge_keeps_the_work(executor: ProcessExecutor) -> None:
    await running(executor)
    (folder_of(executor).work / "notes").write_text("kept")
    await deleted(executor, purge=False)
    assert [body async for body in executor.bodies()] == []
    seen = await executor.delete(KEY, generation=1, grace=0, purge=False)
    assert (seen.phase, seen.kept, str(folder_of(executor).work) in seen.message) == ("absent", "disk", True)
    await running(executor)
    assert (folder_of(executor).work / "notes").read_text() == "kept"
    await deleted(executor, purge=False)
    await deleted(executor, purge=True)
    assert not folder_of(executor).path.exists()
    seen = await executor.delete(KEY, generation=1, grace=0, purge=False)
    assert (seen.kept, seen.message) == ("nothing", "")


async def test_anothers_body_is_not_touched(executor: ProcessExecutor) -> None:
    record = executor._new_record(KEY, LAUNCH)
    folder_of(executor).commit(record.model_copy(update={"labels": {**record.labels, "sac/owner": "owner-2"}}))
    assert (await executor.observe(KEY)).phase == "absent"
    assert [body async for body in executor.bodies()] == []
    with pytest.raises(ConflictError):
        await executor.ensure(KEY, LAUNCH, NO_SECRETS)
    await executor.delete(KEY, generation=9, grace=0, purge=True)
    assert folder_of(executor).record() is not None


@pytest.mark.parametrize(
    ("template", "field"),
    [
        (Template(image="debian"), "spec.image"),
        (Template(profile="strict"), "spec.profile"),
        (Template(egress=Egress(mode="none")), "spec.egress"),
        (Template(resources=Resources(gpus=1)), "spec.resources.gpus"),
        (Template(resources=Resources(cpu=1)), "spec.resources.cpu"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(executor: ProcessExecutor, template: Template, field: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        await executor.ensure(KEY, Launch(template=template), NO_SECRETS)
    assert caught.value.field == field
    assert (await executor.observe(KEY)).phase == "absent"


async def test_a_missing_folder_is_a_launch_error(executor: ProcessExecutor) -> None:
    with pytest.raises(LaunchError, match="does not exist"):
        await executor.ensure(KEY, Launch(template=Template(cwd="/does/not/exist")), NO_SECRETS)


async def test_the_servers_secrets_do_not_reach_the_body(
    executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAC_TOKEN", "canary-token")
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    await executor.ensure(KEY, LAUNCH, Secrets(env={"S": "canary-secret"}))
    await until(executor, "running")
    stream = await executor.open_holder(KEY)
    assert stream is not None
    async with open_link(stream) as link:
        process = await link.open_process("p", Command(argv=("env",), tty=TtySize()))
        printed = b"".join([c.data async for c in process.output()])
    assert b"canary" not in printed
    assert b"SAC_BODY=" + KEY.uid.encode() in printed
    assert b"canary" not in (folder_of(executor).path / "body.json").read_bytes()


async def test_memory_is_limited(executor: ProcessExecutor) -> None:
    launch = Launch(template=Template(resources=Resources(memory=256 * 1024 * 1024)))
    await running(executor, launch)
    stream = await executor.open_holder(KEY)
    assert stream is not None
    async with open_link(stream) as link:
        process = await link.open_process("p", Command(argv=("sh", "-c", "ulimit -v"), overflow="block"))
        assert b"".join([c.data async for c in process.output()]) == b"262144\n"


async def test_probe_says_that_it_is_no_sandbox(executor: ProcessExecutor) -> None:
    probe = await executor.probe()
    assert probe.reachable
    assert not probe.isolated
    assert {"holder", "stop", "replace"} <= set(probe.capabilities)
    assert any("not a sandbox" in finding.message for finding in probe.findings)
