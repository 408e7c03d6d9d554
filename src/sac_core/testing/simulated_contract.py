"""The contract suite on the simulated executor, ready to subclass: for proving the suite, and for broken variants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import anyio
import anyio.lowlevel
import pytest

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key
from sac_core.testing.body_commands import BodyCommands, SimulatedCommands
from sac_core.testing.executor_suite import ExecutorContract
from sac_core.testing.fixtures import new_key
from sac_core.testing.simulated import SimulatedSettings, open_simulated_executor
from sac_core.testing.simulated_target import SimulatedTarget, StartPlan


class SimulatedExecutorContract(ExecutorContract):
    """A fresh target per test; its clock moves 100 ms whenever the suite looks again."""

    target: SimulatedTarget

    @pytest.fixture(autouse=True)
    def _fresh_target(self) -> None:
        self.target = SimulatedTarget()

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        return open_simulated_executor(self.target, SimulatedSettings(), context)

    def commands(self, context: PluginContext) -> BodyCommands:
        return SimulatedCommands(self.target.beats)

    async def pause(self) -> None:
        self.target.clock.advance(0.1)
        await anyio.lowlevel.checkpoint()

    async def labels(self, executor: Executor, key: Key) -> dict[str, str]:
        return {name: text for body in self.target.bodies(key.uid) for name, text in body.labels.items()}

    async def exposed(self, executor: Executor, key: Key) -> str:
        return " ".join(f"{body.labels} {body.launch}" for body in self.target.bodies(key.uid))

    async def stranger(self, context: PluginContext) -> Callable[[], Awaitable[bool]]:
        body = self.target.create(new_key(), {"app": "somebody-else"})

        async def lives() -> bool:
            return body in self.target.bodies()

        return lives

    async def remains(self, executor: Executor, key: Key) -> list[str]:
        bodies = [f"body {body.serial}" for body in self.target.bodies(key.uid)]
        return bodies + [f"volume {name}" for _, uid, name in self.target.volumes if uid == key.uid]

    async def kill(self, executor: Executor, key: Key) -> None:
        for body in self.target.bodies(key.uid):
            body.crash()

    async def slow_start(self, key: Key) -> None:
        self.target.default_plan = StartPlan(pull_seconds=3600.0, start_seconds=3600.0)
