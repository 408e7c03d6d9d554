"""SAC with this executor, on a cluster of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kubernetes_cluster import TestCluster
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_executor_kubernetes import plugin

EVERYTHING = "deployments,replicasets,pods,services,secrets,pvc"


@asynccontextmanager
async def server(data: Path, cluster: TestCluster, **more: object) -> AsyncIterator[Sac]:
    """SAC on a data directory, with this executor and no other plugins than its own."""
    about = {**cluster.settings.model_dump(mode="json", exclude_unset=True), **more}
    settings = Settings(data_dir=data, plugins={"kubernetes": about}, resync=2.0)
    plugins = [] if installed() else [("kubernetes", plugin)]
    async with open_core(settings, plugins=plugins) as core:
        yield core.sac(LOCAL)


def installed() -> bool:
    from importlib.metadata import entry_points

    return bool(entry_points(group="sac", name="kubernetes"))


async def deleted(sac: Sac, cluster: TestCluster, uid: str) -> None:
    """Delete the agent; nothing in the namespace is its any more."""
    await sac.agents.delete("box")
    await sac.agents.wait("box", "absent", timeout=90)
    await eventually(lambda: not cluster.found(EVERYTHING, f"sac/uid={uid}"), 60)
