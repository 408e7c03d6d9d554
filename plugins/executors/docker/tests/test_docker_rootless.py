"""A rootless engine: a folder of the user who runs it is written as that user, and limits are not taken on trust."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docker_engine import PYTHON_IMAGE, docker, image_of
from sac_core.core import open_core
from sac_core.errors import LaunchError
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_executor_docker import plugin
from test_docker_agent import installed, typed

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("faults")]

SCRIPT = shutil.which("dockerd-rootless.sh", path="/usr/bin:/usr/share/docker.io/contrib")


@dataclass(frozen=True, slots=True)
class Rootless:
    """An engine that a user runs, and a folder of that user."""

    host: str
    folder: Path
    uid: int


@pytest.fixture
async def rootless() -> AsyncIterator[Rootless]:
    """It answers, and has the image. For the sweep alone, and where this machine has what such an engine needs."""
    if not os.environ.get("SAC_TEST_SWEEP"):
        pytest.skip("sweep: set SAC_TEST_SWEEP=1")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="sac-rootless-"))
    engine = Rootless(f"unix://{folder}/engine.sock", folder / "project", user.pw_uid)
    for place in (folder, engine.folder, folder / "run"):
        place.mkdir(mode=0o700, exist_ok=True)
        os.chown(place, user.pw_uid, user.pw_gid)
    with (folder / "log").open("wb") as log:
        process = _begin(engine, folder, user, log.fileno())
    try:
        await eventually(lambda: _answers(engine.host, process), 60)
        image_of(PYTHON_IMAGE, python=True, host=engine.host)
        yield engine
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> pwd.struct_passwd:
    """Somebody who may have users of their own in containers."""
    if SCRIPT is None or shutil.which("rootlesskit") is None or os.geteuid() != 0:
        pytest.skip("docker: a rootless engine needs dockerd-rootless.sh, rootlesskit, and root to begin as another")
    for line in Path("/etc/subuid").read_text().splitlines():
        try:
            return pwd.getpwnam(line.partition(":")[0])
        except KeyError:
            continue
    pytest.skip("docker: nobody of /etc/subuid may run a rootless engine")


def _begin(engine: Rootless, folder: Path, user: pwd.struct_passwd, log: int) -> subprocess.Popen[bytes]:
    assert SCRIPT is not None
    command = [SCRIPT, "--data-root", f"{folder}/data", "--host", engine.host, "--iptables=false", "--ip6tables=false"]
    env = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "HOME": str(folder), "XDG_RUNTIME_DIR": f"{folder}/run"}
    return subprocess.Popen(
        command,
        env=env,
        cwd=folder,
        stdout=log,
        stderr=log,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        start_new_session=True,
    )


def _answers(host: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the rootless engine has ended"
    try:
        docker("version", host=host)
    except RuntimeError:
        return False
    return True


async def test_a_folder_of_its_user_is_written_as_that_user_and_limits_are_refused(
    tmp_path: Path, rootless: Rootless
) -> None:
    settings = Settings(
        data_dir=tmp_path / "data",
        plugins={"docker": {"image": PYTHON_IMAGE, "host": rootless.host, "folders": [str(rootless.folder)]}},
        resync=2.0,
    )
    spec = {"executor": "docker", "egress": {"mode": "none"}}
    async with open_core(settings, plugins=[] if installed() else [("docker", plugin)]) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("box", {**spec, "workspace": {"folder": str(rootless.folder)}})
        await sac.agents.wait("box", timeout=100)
        assert (await sac.exec("box", ["sh", "-c", "id -u; echo mine > made"])).stdout == "0\n"
        assert (rootless.folder / "made").stat().st_uid == rootless.uid
        await typed(sac, (await sac.sessions.create("box")).metadata.name, "echo is$((40 + 2))", b"is42")
        if docker("info", "--format", "{{.MemoryLimit}}", host=rootless.host) == "false":
            await sac.agents.create("limited", {**spec, "resources": {"memory": 64 << 20}})
            with pytest.raises(LaunchError, match=r"spec\.resources\.memory.*limits no memory"):
                await sac.agents.wait("limited", timeout=60)
            await sac.agents.delete("limited")
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)
    assert not docker("ps", "--all", "--quiet", host=rootless.host)
