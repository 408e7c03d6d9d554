"""The files of secrets on this machine: private, changed in one step, gone with the body, and with its stop."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sac_core.builtin.process.executor import ProcessExecutor, open_process_executor
from sac_core.builtin.process.secret_files import deliver, withdraw
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.contracts.context import PluginContext
from sac_core.models.body import Key
from sac_core.models.launch import Launch, Secrets
from sac_core.testing.fixtures import eventually, new_key, temporary_context


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


def test_the_folder_holds_what_is_given_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    deliver(folder, {"a": b"1", "b/c": b"2"})
    assert held(folder) == {"a": b"1", "b/c": b"2"}
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE((folder / "b").stat().st_mode) == 0o700
    assert modes(folder) == {0o400}
    inode = (folder / "a").stat().st_ino
    deliver(folder, {"a": b"1", "b/c": b"3"})
    assert held(folder) == {"a": b"1", "b/c": b"3"}
    assert (folder / "a").stat().st_ino == inode
    deliver(folder, {"d": b""})
    assert held(folder) == {"d": b""}
    deliver(folder, {})
    assert not folder.exists()
    withdraw(folder)


def test_a_link_that_the_body_planted_leads_nowhere(tmp_path: Path) -> None:
    folder, outside = tmp_path / "secrets", tmp_path / "outside"
    outside.write_text("mine")
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    (folder / "b").symlink_to(outside)
    deliver(folder, {"a": b"1"})
    assert held(folder) == {"a": b"1"}
    assert not (folder / "a").is_symlink()
    assert outside.read_text() == "mine"


@pytest.fixture
async def executor() -> AsyncIterator[tuple[ProcessExecutor, PluginContext]]:
    with temporary_context() as context:
        async with open_process_executor(ProcessSettings(), context) as executor:
            yield executor, context


async def until(executor: ProcessExecutor, key: Key, phase: str) -> None:
    async def reached() -> bool:
        if phase == "stopped":
            return (await executor.stop(key, generation=1, grace=0.2)).phase == phase
        if phase == "absent":
            return (await executor.delete(key, generation=1, grace=0.2, purge=False)).phase == phase
        return (await executor.observe(key)).phase == phase

    await eventually(reached)


@pytest.mark.parametrize("end", ["stopped", "absent"])
async def test_they_go_when_the_body_ends(executor: tuple[ProcessExecutor, PluginContext], end: str) -> None:
    running, context = executor
    key = new_key()
    await running.ensure(key, Launch(), Secrets(files={"token": b"canary"}))
    await until(running, key, "running")
    folder = context.folder / "bodies" / key.uid
    assert held(folder / "secrets") == {"token": b"canary"}
    await until(running, key, end)
    assert not (folder / "secrets").exists()
    await until(running, key, "absent")
