"""What every distribution of plugins has to be, as a pytest class: subclass it, name its folder, run pytest.

pytest_plugins = ["sac_core.testing.pytest_plugin"]

class TestPackaging(PackagingContract):
    project = Path(__file__).parents[1]
"""

from sac_core.testing.promises.packaging import PackagingContract

__all__ = ["PackagingContract"]
