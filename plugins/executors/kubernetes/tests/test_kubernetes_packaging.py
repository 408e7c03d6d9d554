"""The distribution is what every distribution of plugins has to be."""

from __future__ import annotations

from pathlib import Path

from sac_core.testing.packaging import PackagingContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestPackaging(PackagingContract):
    project = Path(__file__).parents[1]
