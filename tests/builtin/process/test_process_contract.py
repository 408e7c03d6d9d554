"""The process executor keeps the promises that every executor makes."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from sac_core.builtin.process.executor import open_process_executor
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.testing.executor_suite import ExecutorContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestProcessExecutor(ExecutorContract):
    """Every test of the suite."""

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        return open_process_executor(ProcessSettings(), context)
