"""SAC on a simulated target: data directory, database and bodies outlive every server, so that restarts are played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from sac_core.contracts.sac import Sac
from sac_core.contracts.store import Store
from sac_core.core import Core, open_core
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.faults import FaultPlan
from sac_core.testing.faulty import faulty
from sac_core.testing.simulated import simulated_plugin
from sac_core.testing.simulated_target import SimulatedTarget


@dataclass
class SimulatedWorld:
    """A data directory and a simulated target; `serve` opens a server on them, again and again.

    ``plugins`` are (name, module or object) pairs that each server uses besides the installed ones; ``database`` is the
    URL of an empty PostgreSQL database, none means SQLite in the folder.
    """

    folder: Path
    target: SimulatedTarget = field(default_factory=SimulatedTarget)
    plugins: Sequence[tuple[str, object]] = ()
    database: str | None = None

    @asynccontextmanager
    async def serve(
        self, faults: FaultPlan | None = None, *, resync: float = 0.5, more: Sequence[tuple[str, object]] = ()
    ) -> AsyncIterator[Core]:
        """A server until the context is left; ``faults`` strike its executor and its store."""
        offers = Offers(simulated_plugin(self.target, faults=faults))
        database = SecretStr(self.database) if self.database else None
        settings = Settings(data_dir=self.folder, default_executor="simulated", resync=resync, database=database)
        plugins = [("simulated", offers), *self.plugins, *more]
        async with open_core(settings, plugins=plugins, around=lambda store: _under(store, faults)) as core:
            yield core

    @asynccontextmanager
    async def sac(self, faults: FaultPlan | None = None, *, resync: float = 0.5) -> AsyncIterator[Sac]:
        """The surface of such a server, for its local user."""
        async with self.serve(faults, resync=resync) as core:
            yield core.sac(LOCAL)


def _under(store: Store, faults: FaultPlan | None) -> Store:
    return store if faults is None else faulty(store, faults)


class Offers:
    """A plugin module with one executor."""

    def __init__(self, plugin: ExecutorPlugin) -> None:
        self._plugin = plugin

    @hookimpl
    def sac_executors(self) -> list[ExecutorPlugin]:
        """The target as an executor."""
        return [self._plugin]
