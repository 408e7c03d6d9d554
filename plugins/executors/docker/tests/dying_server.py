"""SAC for the life of one agent: python dying_server.py DATA IMAGE OTHER CALL.

It dies before its CALL-th call of the engine. Its exit status is 9 when it died, 0 when the life was over before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import anyio

from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_executor_docker import plugin
from sac_executor_docker.engine import Engine
from sac_executor_docker.streams import Streams

P = ParamSpec("P")
T = TypeVar("T")

DIED = 9
NAME = "box"
_PATIENCE = 60.0


class Calls:
    """Counts calls of the engine, and is killed before one of them."""

    def __init__(self, last: int) -> None:
        self.made, self._last = 0, last

    def counted(self, method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        async def call(*arguments: P.args, **named: P.kwargs) -> T:
            self.made += 1
            if self.made == self._last:
                os._exit(DIED)
            return await method(*arguments, **named)

        return call


def settings_of(data: Path, image: str) -> Settings:
    """The clock does nothing: what is done is what the life asks for."""
    return Settings(data_dir=data, plugins={"docker": {"image": image}}, default_executor="docker", resync=600)


async def life(sac: Sac, other: str) -> None:
    """Created, replaced, stopped, started, deleted."""
    await sac.agents.create(NAME, {"options": {"volumes": {"cache": "/cache"}}})
    await sac.agents.wait(NAME, timeout=_PATIENCE)
    await sac.agents.patch(NAME, {"spec": {"image": other}})
    await sac.agents.wait(NAME, timeout=_PATIENCE)
    await sac.agents.stop(NAME)
    await sac.agents.wait(NAME, "Stopped", timeout=_PATIENCE)
    await sac.agents.start(NAME)
    await sac.agents.wait(NAME, timeout=_PATIENCE)
    await sac.agents.delete(NAME)
    await sac.agents.wait(NAME, "absent", timeout=_PATIENCE)


def offers() -> list[tuple[str, Any]]:
    """The plugin, unless it is installed."""
    from importlib.metadata import entry_points

    return [] if entry_points(group="sac", name="docker") else [("docker", plugin)]


async def main(data: Path, image: str, other: str, last: int) -> None:
    calls = Calls(last)
    Engine._run = calls.counted(Engine._run)  # type: ignore[method-assign]
    Streams._hijack = calls.counted(Streams._hijack)  # type: ignore[method-assign]
    async with open_core(settings_of(data, image), plugins=offers()) as core:
        await life(core.sac(LOCAL), other)
    print(calls.made)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
