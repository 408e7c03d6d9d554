import logging
import tempfile
from pathlib import Path

import anyio

from sac_core.contracts.sac import Sac
from sac_core.testing.operations import CREATE, DELETE, Operation
from sac_core.testing.simulated_world import SimulatedWorld
from sac_core.testing.sweep import sweep


async def relabel(sac: Sac, name: str) -> None:
    await sac.agents.patch(name, {"metadata": {"labels": {"team": "blue"}}})


async def relabelled(sac: Sac, name: str) -> None:
    assert (await sac.agents.get(name)).metadata.labels == {"team": "blue"}


async def main() -> None:
    life = [CREATE, Operation("relabel", relabel, relabelled), DELETE]
    with tempfile.TemporaryDirectory() as folder:
        report = await sweep(lambda name: SimulatedWorld(Path(folder) / name), life, every=7)
    print(f"{sum(report.struck.values())} faults struck")
    assert report.problems == [], report.problems


logging.disable()  # the faults are planned: nobody needs to read of them
anyio.run(main)
