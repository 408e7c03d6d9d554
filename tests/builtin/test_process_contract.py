"""The process executor keeps the ten promises, at level full."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from sac_core.builtin.process.executor import open_process_executor
from sac_core.builtin.process.folder import BodyFolder
from sac_core.builtin.process.host import strays
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key
from sac_core.testing.executor_suite import ExecutorContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]

SLOW_PYTHON = '#!/bin/sh\nwhile [ -e "{slow}" ]; do sleep 0.05; done\nexec "{python}" "$@"\n'


class TestProcessExecutor(ExecutorContract):
    folder: Path

    @pytest.fixture(autouse=True)
    def _slow_python(self, context: PluginContext) -> None:
        """Holders are started through a script that waits while a file exists."""
        self.folder = context.folder
        self.python = context.folder / "python"
        self.python.write_text(SLOW_PYTHON.format(slow=context.folder / "slow", python=sys.executable))
        self.python.chmod(0o755)

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        return open_process_executor(ProcessSettings(python=str(self.python)), context)

    async def labels(self, executor: Executor, key: Key) -> dict[str, str]:
        record = self._body(key).record()
        assert record is not None
        return record.labels

    async def exposed(self, executor: Executor, key: Key) -> str:
        """Everything in the body's folder but what it is to have, and the arguments of its processes."""
        body = self._body(key)
        files = [path for path in body.path.rglob("*") if path.is_file() and body.secrets not in path.parents]
        arguments = [Path(f"/proc/{pid}/cmdline") for pid in self._processes(key)]
        return " ".join(path.read_text(errors="replace") for path in [*files, *arguments])

    async def stranger(self, context: PluginContext) -> Callable[[], Awaitable[bool]]:
        folder = context.folder / "bodies" / "stranger"
        folder.mkdir()
        (folder / "notes").write_text("mine")

        async def lives() -> bool:
            return (folder / "notes").read_text() == "mine"

        return lives

    async def remains(self, executor: Executor, key: Key) -> list[str]:
        processes = [f"process {pid}" for pid in self._processes(key)]
        return processes + [str(path) for path in self.folder.rglob(f"{key.uid}*")]

    async def kill(self, executor: Executor, key: Key) -> None:
        holder = self._body(key).holder()
        assert holder is not None
        os.kill(holder.pid, signal.SIGKILL)

    async def slow_start(self, key: Key) -> None:
        (self.folder / "slow").touch()

    def _body(self, key: Key) -> BodyFolder:
        return BodyFolder(self.folder / "bodies", key.uid)

    def _processes(self, key: Key) -> list[int]:
        return sorted(set(strays(key.uid)) | set(_running_with(key.uid)))


def _running_with(argument: str) -> list[int]:
    """Processes that have it among their arguments: the holder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if argument in path.read_text(errors="replace").split("\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
