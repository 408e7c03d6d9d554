"""The ten promises of executors. What may be overridden is in `sac_core.testing.promises.base.ContractBase`."""

from contextlib import AbstractAsyncContextManager

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.testing.executor_suite import ExecutorContract

from sac_executor_acme.executor import open_acme
from sac_executor_acme.settings import AcmeSettings

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestAcme(ExecutorContract):
    level = "core"

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        return open_acme(AcmeSettings(), context)
