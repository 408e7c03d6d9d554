"""The simulated executor keeps every promise: else the suite, or it, is wrong."""

from sac_core.testing.simulated_contract import SimulatedExecutorContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestSimulatedExecutor(SimulatedExecutorContract):
    """Every test of the suite, none skipped but for what is honoured or not claimed."""
