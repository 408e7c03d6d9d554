"""SAC on the simulated executor: the world outlives every server, so that a restart can be played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sac_core.contracts.sac import Sac
from sac_core.core import Core, open_core
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.principal import LOCAL
from sac_core.service import agent_work
from sac_core.settings import Settings
from sac_core.testing.faults import FaultPlan
from sac_core.testing.simulated import simulated_plugin
from sac_core.testing.simulated_target import SimulatedTarget


@dataclass
class World:
    """A data directory and a simulated target; `serve` opens a server on them, again and again."""

    folder: Path
    target: SimulatedTarget = field(default_factory=SimulatedTarget)

    @asynccontextmanager
    async def serve(
        self, faults: FaultPlan | None = None, *, resync: float = 0.5, more: Sequence[tuple[str, object]] = ()
    ) -> AsyncIterator[Core]:
        plugin = simulated_plugin(self.target, faults=faults)

        class Offers:
            @hookimpl
            def sac_executors(self) -> list[ExecutorPlugin]:
                return [plugin]

        settings = Settings(data_dir=self.folder, default_executor="simulated", resync=resync)
        async with open_core(settings, plugins=[("simulated", Offers()), *more]) as core:
            yield core

    @asynccontextmanager
    async def sac(self, faults: FaultPlan | None = None) -> AsyncIterator[Sac]:
        async with self.serve(faults) as core:
            yield core.sac(LOCAL)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "data")


@pytest.fixture
def worlds(tmp_path: Path) -> Callable[[str], World]:
    return lambda name: World(tmp_path / name)


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging executor is given up soon."""
    monkeypatch.setattr(agent_work, "CALL_DEADLINE", 0.3)
