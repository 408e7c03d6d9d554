"""Claude Code in a container, as people begin with it: by the console's form in a real browser, and by `sac run`."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import expect
from pydantic import SecretStr

import sac_core
from docker_browser import Served, console, type_line
from docker_engine import docker
from model_endpoint import endpoint, text
from sac_agent_claude_code import runtime
from sac_agent_claude_code.image import RECIPE
from sac_core.client.surface import HttpSac
from sac_core.settings import Settings
from sac_core.testing.serving import serving
from screen import shown

pytestmark = pytest.mark.timeout(900)
LIMIT = 300.0
KEY = "sk-ant-api03-" + "Ab1_" * 10


@pytest.fixture(scope="module")
def image(base_image: str) -> Iterator[str]:
    """Built for the first agent that names none, as a user's is; it is none of a user's."""
    recipe = RECIPE.model_copy(update={"name": f"test-{uuid4().hex[:8]}"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "RECIPE", recipe)
        yield recipe.image
    if docker("images", "--quiet", recipe.image):
        docker("rmi", "--force", recipe.image)


@pytest.fixture
async def server(
    tmp_path: Path, home: Path, image: str, base_image: str, claude: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Served]:
    """A server on which Docker is ready, and the SDK on it; `sac` finds it, and what runs is ended afterwards."""
    monkeypatch.setenv("PATH", f"{Path(claude).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SAC_DATA_DIR", str(tmp_path / "data"))
    token = secrets.token_hex(16)
    plugins = {"docker": {"image": base_image}}
    settings = Settings(data_dir=tmp_path / "data", port=0, token=SecretStr(token), plugins=plugins, resync=2.0)
    async with serving(settings) as info, sac_core.connect(info.url, token) as sac:
        assert isinstance(sac, HttpSac)
        await sac.secrets.put("model", KEY)
        yield info, sac
        for agent in (await sac.agents.list()).items:
            await sac.agents.delete(agent.metadata.name)
            await sac.agents.wait(agent.metadata.name, "absent", timeout=LIMIT)


def gateway() -> str:
    """The address under which containers reach this machine."""
    return docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")


async def test_the_form_of_the_console_makes_one_and_its_terminal_shows_it(
    chromium: str, server: Served, image: str
) -> None:
    with endpoint([text("Hello from the stand-in.")], host="0.0.0.0") as model:
        async with console(chromium, server) as page:
            await page.get_by_test_id("new-agent").click()
            await expect(page.get_by_test_id("field-executor")).to_have_value(
                "docker"
            )  # which is ready: so it is first
            await expect(page.get_by_test_id("field-executor").locator("option").first).to_have_text("docker (default)")
            await page.get_by_test_id("field-name").fill("coder")
            await page.get_by_test_id("field-runtime").select_option("claude-code")
            await page.get_by_test_id("field-runtime-option-apiKey").select_option("model")
            await page.get_by_test_id("field-runtime-option-baseUrl").fill(f"http://{gateway()}:{model.port}")
            await page.get_by_test_id("field-runtime-option-model").fill("opus-9-9")
            await page.get_by_test_id("create").click()
            phase = page.get_by_test_id("agent-phase")
            await expect(phase).to_have_attribute("data-phase", "Running")
            await expect(page.get_by_test_id("not-a-sandbox")).to_have_count(0)
            await page.get_by_test_id("open-terminal").click()
            rows = page.locator(".xterm-rows")
            await expect(rows).to_contain_text("opus-9-9")
            await type_line(page, "say hello", "say hello", "Hello from the stand-in.")
    assert (await server[1].agents.get("coder")).status.executor == "docker"
    assert docker("images", "--quiet", image)


async def test_run_opens_one_in_the_terminal(server: Served, folder: Path) -> None:
    with endpoint([text("Hello from the stand-in.")]) as model:
        options = {"apiKey": "model", "baseUrl": model.url, "model": "opus-9-9"}
        given = [part for name, each in options.items() for part in ("--option", f"{name}={each}")]
        run = (sys.executable, "-m", "sac_core", "run", "claude-code", str(folder), "--name", "one", "--rm")
        with shown(*run, "--egress", "none", *given) as terminal:
            await terminal.until("opus-9-9", within=LIMIT)
            await terminal.type("say hello")
            await terminal.until("say hello", within=LIMIT)
            await terminal.type("\r")
            await terminal.until("Hello from the stand-in.", within=LIMIT)
            about = (await server[1].agents.get("one")).status
    assert (about.executor, about.isolated) == ("docker", True)
