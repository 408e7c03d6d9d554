"""The ten promises of executors, as tests: one module per promise, each a base class without state.

Belongs here: what every executor must do, whoever wrote it. `executor_suite.ExecutorContract` joins the classes.
Does not belong here: how one executor is opened or looked into; its plugin's tests say so by overriding `ContractBase`.
"""

import pkgutil

import pytest

# Asserts of an installed package say nothing about their values unless pytest is told before the import.
pytest.register_assert_rewrite(*(module.name for module in pkgutil.iter_modules(__path__, f"{__name__}.")))
