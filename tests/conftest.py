"""What every test may use: one event loop flavour, settings of an own data directory, SAC embedded and over HTTP."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

import sac_core
from sac_core.contracts.sac import Sac
from sac_core.settings import Settings
from sac_core.testing.serving import serving

pytest_plugins = ["git_server", "live_server", "port_bench", "postgres_cluster", "simulated_world"]

REQUIRED = frozenset(filter(None, os.environ.get("SAC_TEST_REQUIRE", "").split(",")))
"""What must be there: `browser`, `programs`. What is missing then fails instead of being skipped."""


def need(kind: str, program: str) -> str:
    """The path of a program; a test that needs what is missing is skipped by name, or fails where it is required."""
    path = shutil.which(program)
    if path is not None:
        return path
    message = f"{kind}: {program} is not installed"
    if kind in REQUIRED:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def needed() -> Callable[[str, str], str]:
    """`need`, for test folders that have a conftest of their own."""
    return need


@pytest.fixture
def anyio_backend() -> str:
    """asyncio only."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _home_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Login shells must not read this machine's profile, nor leave its locks behind when a test kills them.

    Nor is there an engine of Docker, whatever this machine has: servers would begin with it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SAC_") and not name.startswith("SAC_TEST")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a data directory and a token of their own, on a free port; what runs is ended afterwards."""
    folder = tmp_path / "data"
    yield Settings(data_dir=folder, port=0, token=SecretStr(secrets.token_hex(16)), resync=2.0)
    end_bodies(folder)


def end_bodies(folder: Path) -> None:
    """End every holder of a data directory, and what runs under it."""
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in part for part in process.info["cmdline"] or ()):
            for child in process.children(recursive=True):
                child.kill()
            process.kill()


@pytest.fixture(params=["embedded", "http"])
async def sac(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Sac]:
    """The one surface, both ways."""
    if request.param == "embedded":
        async with sac_core.open(settings) as embedded:
            yield embedded
        return
    assert settings.token is not None
    async with serving(settings) as server:
        async with sac_core.connect(server.url, settings.token.get_secret_value()) as remote:
            yield remote
