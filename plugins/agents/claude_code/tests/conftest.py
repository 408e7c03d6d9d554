"""The real program against a stand-in for its model, on the process executor."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import SecretStr

import sac_core
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.serving import serving

pytest_plugins = ["docker_engine", "docker_browser", "claude_image"]


@pytest.fixture
def anyio_backend() -> str:
    """asyncio only."""
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has never started the program, and none of whose own settings reach it."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE_", "SAC_"))]:
        if not name.startswith("SAC_TEST"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture(scope="session")
def claude() -> str:
    """The path of the real program: the one on PATH, or the one that comes with the package claude-agent-sdk."""
    found = shutil.which("claude") or _bundled()
    if found is None and "claude" in os.environ.get("SAC_TEST_REQUIRE", "").split(","):
        pytest.fail("claude: it is not installed")
    if found is None:
        pytest.skip("claude: it is not installed")
    return found


def _bundled() -> str | None:
    package = find_spec("claude_agent_sdk")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).with_name("_bundled") / "claude"
    return str(path) if path.is_file() else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the agent works."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
async def sac(tmp_path: Path, home: Path) -> AsyncIterator[Sac]:
    """SAC embedded, with what is installed, so with this plugin; what runs is ended afterwards."""
    async with open_core(Settings(data_dir=tmp_path / "data")) as core:
        sac = core.sac(LOCAL)
        yield sac
        await _end_all(sac)


@pytest.fixture(params=["embedded", "http"])
async def surface(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> AsyncIterator[Sac]:
    """The one surface, both ways."""
    if request.param == "embedded":
        async with open_core(Settings(data_dir=tmp_path / "data")) as core:
            yield core.sac(LOCAL)
            await _end_all(core.sac(LOCAL))
        return
    token = secrets.token_hex(16)
    async with serving(Settings(data_dir=tmp_path / "data", port=0, token=SecretStr(token))) as server:
        async with sac_core.connect(server.url, token) as remote:
            yield remote
            await _end_all(remote)


async def _end_all(sac: Sac) -> None:
    for agent in (await sac.agents.list()).items:
        await sac.agents.delete(agent.metadata.name)
        await sac.agents.wait(agent.metadata.name, "absent")
