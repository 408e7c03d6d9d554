"""The contract of runtimes as a pytest class: subclass it, say how yours is made, run pytest.

pytest_plugins = ["sac_core.testing.pytest_plugin"]

class TestAcme(RuntimeContract):
    def make_runtime(self):
        return AcmeRuntime()
"""

from sac_core.testing.promises.runtimes import RuntimeContract

__all__ = ["RuntimeContract"]
