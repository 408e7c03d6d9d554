"""The promises of runtimes. What may be overridden is in `sac_core.testing.runtime_suite`."""

from sac_core.contracts.runtime import Runtime
from sac_core.testing.runtime_suite import RuntimeContract

from sac_agent_acme.runtime import AcmeRuntime

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestAcme(RuntimeContract):
    def make_runtime(self) -> Runtime:
        return AcmeRuntime()
