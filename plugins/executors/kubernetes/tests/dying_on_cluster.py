"""SAC for the life of one agent: python dying_on_cluster.py DATA PLUGIN OTHER CALL.

PLUGIN is what the executor's settings are, as JSON. It is killed before its CALL-th call of the cluster's API. What it
prints is how many calls the life had, if it was over before.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import anyio

from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_executor_kubernetes import plugin
from sac_executor_kubernetes.cluster import Cluster

P = ParamSpec("P")
T = TypeVar("T")

NAME = "box"
PATIENCE = 120.0
STORAGE = 64 << 20


class Calls:
    """Counts calls of the cluster, and is killed before one of them."""

    def __init__(self, last: int) -> None:
        self.made, self._last = 0, last

    def counted(self, method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        async def call(*arguments: P.args, **named: P.kwargs) -> T:
            self.made += 1
            if self.made == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
            return await method(*arguments, **named)

        return call


def settings_of(data: Path, about: dict[str, Any]) -> Settings:
    """The clock does nothing: what is done is what the life asks for."""
    return Settings(data_dir=data, plugins={"kubernetes": about}, default_executor="kubernetes", resync=600)


async def life(sac: Sac, other: str) -> None:
    """Created with a volume, replaced, stopped, started, deleted."""
    await sac.agents.create(NAME, {"options": {"storage": STORAGE}})
    await sac.agents.wait(NAME, timeout=PATIENCE)
    await sac.agents.patch(NAME, {"spec": {"image": other}})
    await sac.agents.wait(NAME, timeout=PATIENCE)
    await sac.agents.stop(NAME)
    await sac.agents.wait(NAME, "Stopped", timeout=PATIENCE)
    await sac.agents.start(NAME)
    await sac.agents.wait(NAME, timeout=PATIENCE)
    await sac.agents.delete(NAME)
    await sac.agents.wait(NAME, "absent", timeout=PATIENCE)


def offers() -> list[tuple[str, Any]]:
    """The plugin, unless it is installed."""
    from importlib.metadata import entry_points

    return [] if entry_points(group="sac", name="kubernetes") else [("kubernetes", plugin)]


async def main(data: Path, about: dict[str, Any], other: str, last: int) -> None:
    calls = Calls(last)
    Cluster._call = calls.counted(Cluster._call)  # type: ignore[method-assign]
    Cluster.websocket = calls.counted(Cluster.websocket)  # type: ignore[method-assign]
    async with open_core(settings_of(data, about), plugins=offers()) as core:
        await life(core.sac(LOCAL), other)
    print(calls.made)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
