"""The server is killed before a call of the engine; the next one makes true what is declared, and leaves nothing.

Played by `nox -s sweep`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from docker_engine import docker
from dying_server import DIED, NAME, offers, settings_of
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.errors import NotFoundError
from sac_core.models.principal import LOCAL
from sac_core.testing.fixtures import eventually

_SCRIPT = Path(__file__).with_name("dying_server.py")
_PATIENCE = 60.0
CALLS = range(1, 121, int(os.environ.get("SAC_TEST_SWEEP", "1")))
"""More than a life has: those behind its end are skipped."""


def live_and_die(data: Path, image: str, other: str, call: int) -> bool:
    """Whether it died."""
    source = _SCRIPT.parents[1] / "src"
    env = os.environ | {"PYTHONPATH": f"{source}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, str(_SCRIPT), str(data), image, other, str(call)]
    done = subprocess.run(command, env=env, capture_output=True, timeout=200, check=False)
    assert done.returncode in (0, DIED), done.stderr.decode()
    return done.returncode == DIED


def left(owner: str) -> list[str]:
    """All that an installation has at the engine, but the network of its tenant while an agent is in it."""
    label = f"label=sac/owner={owner}"
    kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
    return [line for kind in kinds for line in docker(*kind, "--quiet", "--filter", label).split()]


async def as_declared(sac: Sac) -> None:
    """The agent becomes what its row says; then it is deleted."""
    try:
        agent = await sac.agents.get(NAME)
    except NotFoundError:
        return
    uid = agent.metadata.uid
    if agent.metadata.deletion_timestamp is None:
        await sac.agents.wait(NAME, agent.spec.state, timeout=_PATIENCE)
        found = docker("ps", "--all", "--quiet", "--filter", f"label=sac/uid={uid}").split()
        assert len(found) == 1, f"{len(found)} containers of one agent"
        await sac.agents.delete(NAME)
    await sac.agents.wait(NAME, "absent", timeout=_PATIENCE)


@pytest.mark.skipif(not os.environ.get("SAC_TEST_SWEEP"), reason="sweep: set SAC_TEST_SWEEP=1")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("call", CALLS)
async def test_whenever_it_is_killed_nothing_is_left_behind(
    tmp_path: Path, python_image: str, other_image: str, call: int
) -> None:
    data = tmp_path / "data"
    died = await anyio.to_thread.run_sync(live_and_die, data, python_image, other_image, call)
    if not died:
        pytest.skip("the life is over before")
    async with open_core(settings_of(data, python_image), plugins=offers()) as core:
        sac = core.sac(LOCAL)
        owner = (await sac.status()).installation
        await as_declared(sac)
        await eventually(lambda: left(owner) == [], _PATIENCE, describe=f"nothing left of {owner}")
