"""The ten promises of executors, and how the suite looks into cabins."""

import os
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key
from sac_core.testing.executor_suite import ExecutorContract

from sac_executor_cabin.body import Body
from sac_executor_cabin.executor import open_cabin
from sac_executor_cabin.settings import CabinSettings

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestCabin(ExecutorContract):
    level = "core"
    root: Path

    @pytest.fixture(autouse=True)
    def _root(self, context: PluginContext) -> None:
        self.root = context.folder / context.owner

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        return open_cabin(CabinSettings(), context)

    async def labels(self, executor: Executor, key: Key) -> dict[str, str]:
        record = Body(self.root, key.uid).record()
        return record.labels if record else {}

    async def exposed(self, executor: Executor, key: Key) -> str:
        files = [file for file in Body(self.root, key.uid).path.iterdir() if file.is_file()]
        return " ".join(file.read_text() for file in files)

    async def remains(self, executor: Executor, key: Key) -> list[str]:
        return [str(path) for path in self.root.rglob(key.uid)]

    async def kill(self, executor: Executor, key: Key) -> None:
        holder = Body(self.root, key.uid).holder()
        assert holder is not None
        os.kill(holder, signal.SIGKILL)
