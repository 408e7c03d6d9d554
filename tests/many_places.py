"""An executor whose targets are places in memory, by the name in their settings: for several of them in one SAC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from pydantic import SecretStr

from sac_core.contracts.background import background
from sac_core.contracts.context import PluginContext
from sac_core.errors import UnavailableError
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.base import Model
from sac_core.models.body import Finding, Probe
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedBody, SimulatedTarget
from sac_core.testing.simulated_world import Offers


class Tls(Model):
    """What is shown, and what nobody is shown."""

    name: str = ""
    key: SecretStr | None = None


class PlaceSettings(Model):
    """``place`` is the name; ``key`` and that of ``tls`` what nobody is shown."""

    place: str = "own"
    key: SecretStr | None = None
    tls: Tls | None = None


class PlacedExecutor(SimulatedExecutor):
    """Can be out of reach, or reached from one machine only."""

    def __init__(self, places: Places, settings: PlaceSettings, owner: str, machine: str) -> None:
        super().__init__(places.targets[settings.place], owner)
        self._places, self._name, self._machine = places, settings.place, machine

    async def probe(self) -> Probe:
        self._places.probes[self._name] += 1
        if self._name in self._places.silent:
            await anyio.sleep_forever()
        place = f"{self._machine}:{self._name}" if self._name in self._places.local else ""
        if self._name in self._places.absent:
            wrong = Finding(level="error", check="place", message="nobody is there", advice="go there")
            return Probe(reachable=False, place=place, findings=(wrong,))
        told = await super().probe()
        return told.model_copy(update={"place": place})


@dataclass
class Places:
    """The places, and what is wrong with some: ``closed`` do not open, ``stuck`` take for ever to, ``silent`` hang when
    they are probed, ``absent`` are not reachable, ``local`` are reached from the machine of the server only.
    """

    targets: dict[str, SimulatedTarget] = field(default_factory=lambda: defaultdict(SimulatedTarget))
    closed: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    local: set[str] = field(default_factory=set)
    broken: dict[str, anyio.Event] = field(default_factory=lambda: defaultdict(anyio.Event))
    """What is open there ends by itself when its event is set."""
    keys: list[str] = field(default_factory=list)
    """Those that were opened with one."""
    open: list[str] = field(default_factory=list)
    """The names of those that are open now."""
    opened: list[str] = field(default_factory=list)
    """The names of all that were ever opened."""
    probes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def plugin(self, machine: str = "here") -> tuple[str, Offers]:
        """Offers the executor ``many`` to a server on a machine."""

        @asynccontextmanager
        async def opened(settings: PlaceSettings, context: PluginContext) -> AsyncIterator[SimulatedExecutor]:
            if settings.place in self.closed:
                raise UnavailableError("the door is closed", hint="open it")
            if settings.place in self.stuck:
                await anyio.sleep_forever()
            if settings.key is not None:
                self.keys.append(settings.key.get_secret_value())
            executor = PlacedExecutor(self, settings, context.owner, machine)
            self.open.append(settings.place)
            self.opened.append(settings.place)
            try:
                async with background() as tasks:
                    tasks.start_soon(self._break, settings.place)
                    yield executor
            finally:
                self.open.remove(settings.place)
                executor.close()

        plugin = ExecutorPlugin("many", "bodies in places", open=opened, settings=PlaceSettings, isolated=False)
        return "many", Offers(plugin)

    async def _break(self, place: str) -> None:
        await self.broken[place].wait()
        del self.broken[place]
        raise RuntimeError("it broke")

    def bodies(self, place: str) -> list[SimulatedBody]:
        """Every body in a place."""
        return list(self.targets[place].bodies())

    def agents(self, place: str) -> list[str]:
        """The names of the agents whose bodies are in a place."""
        return sorted(body.key.agent for body in self.bodies(place))
