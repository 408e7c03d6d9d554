"""What tests of the docker executor use."""

from __future__ import annotations

import pytest

pytest_plugins = ["docker_engine", "docker_browser"]


@pytest.fixture
def anyio_backend() -> str:
    """asyncio only."""
    return "asyncio"
