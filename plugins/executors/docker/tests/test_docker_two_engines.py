"""Two engines as two targets of one SAC: what happens to the one is nothing to the agents of the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest

from docker_engine import PYTHON_IMAGE, image_of
from private_engine import PrivateEngine, private_engine
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_executor_docker import plugin
from test_docker_agent import installed
from test_docker_faults import PATIENCE, containers, told, works

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(400)]


@pytest.fixture
def engines() -> Iterator[dict[str, PrivateEngine]]:
    with private_engine() as first, private_engine() as second:
        for engine in (first, second):
            image_of(PYTHON_IMAGE, python=True, host=engine.host)
        yield {"first": first, "second": second}


@pytest.fixture
async def sac(tmp_path: Path, engines: dict[str, PrivateEngine]) -> AsyncIterator[Sac]:
    """Both engines are targets, and each has an agent of its target's name."""
    settings = Settings(data_dir=tmp_path / "data", resync=1.0)
    async with open_core(settings, plugins=[] if installed() else [("docker", plugin)]) as core:
        sac = core.sac(LOCAL)
        for name, engine in engines.items():
            await sac.targets.create(name, "docker", {"host": engine.host, "image": PYTHON_IMAGE, "timeout": 5})
            await sac.agents.create(name, {"executor": {"name": "docker", "target": name}})
        for name in engines:
            await sac.agents.wait(name, timeout=PATIENCE)
        yield sac
        for name in engines:
            await sac.agents.delete(name)
            await sac.agents.wait(name, "absent", timeout=PATIENCE)


async def test_an_engine_that_is_killed_harms_no_agent_of_another(sac: Sac, engines: dict[str, PrivateEngine]) -> None:
    uids = {name: (await sac.agents.get(name)).metadata.uid for name in engines}
    before = containers(engines["second"], uids["second"])
    assert len(before) == 1
    assert containers(engines["second"], uids["first"]) == []
    async with sac.open_exec("second", ["cat"]) as beating:
        output = beating.output()
        await anyio.to_thread.run_sync(engines["first"].kill)
        await told(sac, "ExecutorReachable", "Unavailable", name="first")
        await beating.write(b"it goes on")
        with anyio.fail_after(PATIENCE):
            assert (await anext(output)).data == b"it goes on"
    await works(sac, "second")
    await sac.agents.create("third", {"executor": {"name": "docker", "target": "second"}})
    await sac.agents.wait("third", timeout=PATIENCE)
    await sac.agents.delete("third")
    await sac.agents.wait("third", "absent", timeout=PATIENCE)
    status = (await sac.agents.get("second")).status
    assert (status.phase, status.restarts) == ("Running", 0)
    assert all(known.status == "True" for known in status.conditions)
    assert containers(engines["second"], uids["second"]) == before
    await anyio.to_thread.run_sync(engines["first"].start)
    await works(sac, "first")
    assert len(containers(engines["first"], uids["first"])) == 1
