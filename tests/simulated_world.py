"""SAC on the simulated executor: the world outlives every server, so that a restart can be played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from postgres_cluster import Cluster
from sac_core.service import agent_work
from sac_core.testing.simulated_world import SimulatedWorld as World

__all__ = ["World"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "data")


@pytest.fixture(params=["sqlite", "postgres"])
def worlds(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], World]:
    """Worlds by name, on each kind of database."""
    if request.param == "sqlite":
        return lambda name: World(tmp_path / name)
    cluster: Cluster = request.getfixturevalue("postgres")
    return lambda name: World(tmp_path / name, database=cluster.database())


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging executor is given up soon."""
    monkeypatch.setattr(agent_work, "CALL_DEADLINE", 0.3)
