"""What tests of the kubernetes executor use."""

from __future__ import annotations

import pytest

pytest_plugins = ["kubernetes_cluster"]


@pytest.fixture
def anyio_backend() -> str:
    """asyncio only."""
    return "asyncio"
