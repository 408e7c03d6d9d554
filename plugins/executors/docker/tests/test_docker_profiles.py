"""The profile dev-root on a real engine: root enough for apt, refused where nobody has asked for it, and audited."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docker_engine import PYTHON_IMAGE, docker, image_of
from private_engine import PrivateEngine, private_engine
from sac_core.core import open_core
from sac_core.errors import LaunchError
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_executor_docker import plugin
from sac_executor_docker.users import remaps_users
from test_docker_agent import installed

ROOT = {"executor": "docker", "profile": "dev-root"}
SIX = f"{1 << 0 | 1 << 1 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 10:016x}"
"""CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID and NET_BIND_SERVICE, as /proc/PID/status writes them."""


def settings(data: Path, image: str, *, allowed: bool | None) -> Settings:
    return Settings(data_dir=data, plugins={"docker": {"image": image, "allow_root": allowed}}, resync=2.0)


async def test_root_may_install_and_change_users_and_no_more(
    tmp_path: Path, python_image: str, caplog: pytest.LogCaptureFixture
) -> None:
    plugins = [] if installed() else [("docker", plugin)]
    async with open_core(settings(tmp_path / "data", python_image, allowed=True), plugins=plugins) as core:
        sac = core.sac(LOCAL)
        with caplog.at_level(logging.WARNING, "sac.agents"):
            await sac.agents.create("box", ROOT)
        await sac.agents.wait("box", timeout=60)
        status = (await sac.exec("box", ["cat", "/proc/self/status"])).stdout
        told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert {told[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {SIX}
        assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
        install = "cp /bin/sh /usr/bin/tool && chown 1234:1234 /usr/bin/tool && chmod 4755 /usr/bin/tool"
        assert (await sac.exec("box", ["sh", "-c", install])).code == 0
        change = "import os; os.setgroups([]); os.setgid(1234); os.setuid(1234); print(os.getresuid())"
        assert (await sac.exec("box", ["python3", "-c", change])).stdout == "(1234, 1234, 1234)\n"
        for forbidden in ("mount -t tmpfs none /mnt", "mknod /tmp/disk b 8 0", "chroot / true"):
            assert (await sac.exec("box", ["sh", "-c", forbidden])).code != 0, forbidden
        audited = [cause for cause in (await sac.agents.timeline("box")).items if "dev-root" in cause.text]
        assert [(cause.actor, cause.details) for cause in audited] == [("user:local", {"profile": "dev-root"})]
        assert "dev-root, by user:local" in caplog.text
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)


@contextmanager
def remapping() -> Iterator[PrivateEngine]:
    """An engine whose containers have users of their own; its data is where those can look."""
    with tempfile.TemporaryDirectory(prefix="sac-remapped-") as folder:
        Path(folder).chmod(0o711)
        with private_engine(options=("--userns-remap", "default"), data=Path(folder, "data")) as engine:
            image_of(PYTHON_IMAGE, python=True, host=engine.host)
            yield engine


@pytest.mark.timeout(240)
@pytest.mark.xdist_group("faults")
async def test_an_engine_that_remaps_users_allows_it_by_itself_and_mounts_no_folder(tmp_path: Path) -> None:
    with remapping() as engine:
        config = Settings(
            data_dir=tmp_path / "data",
            plugins={"docker": {"image": PYTHON_IMAGE, "host": engine.host}},
            resync=2.0,
        )
        async with open_core(config, plugins=[] if installed() else [("docker", plugin)]) as core:
            sac = core.sac(LOCAL)
            await sac.agents.create("box", {**ROOT, "egress": {"mode": "none"}})
            await sac.agents.wait("box", timeout=100)
            said = (await sac.exec("box", ["sh", "-c", "id -u; touch ~/mine; cat /proc/self/uid_map"])).stdout.split()
            assert said[:2] == ["0", "0"]
            assert int(said[2]) >= 1000, "root inside is root outside"
            (tmp_path / "project").mkdir()
            work = {"folder": str(tmp_path / "project")}
            await sac.agents.create("folder", {"executor": "docker", "workspace": work})
            with pytest.raises(LaunchError, match="remaps users"):
                await sac.agents.wait("folder", timeout=60)
            for name in ("box", "folder"):
                await sac.agents.delete(name)
                await sac.agents.wait(name, "absent", timeout=60)


@pytest.mark.parametrize("allowed", [None, False])
async def test_root_is_refused_unless_the_operator_or_the_engine_makes_it_harmless(
    tmp_path: Path, python_image: str, allowed: bool | None
) -> None:
    if allowed is None and remaps_users(json.loads(docker("info", "--format", "{{json .}}"))):
        pytest.skip("this engine remaps users")
    plugins = [] if installed() else [("docker", plugin)]
    async with open_core(settings(tmp_path / "data", python_image, allowed=allowed), plugins=plugins) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("box", ROOT)
        with pytest.raises(LaunchError, match=r"spec\.profile.*dev-root") as refused:
            await sac.agents.wait("box", timeout=60)
        assert refused.value.reason == ("Forbidden" if allowed is False else "Unsupported")
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)
