"""The Docker executor keeps the ten promises on a real engine."""

from __future__ import annotations

import pytest

from docker_contract import DockerContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestDockerExecutor(DockerContract):
    @pytest.fixture
    def body_image(self, python_image: str) -> str:
        return python_image
