"""Docker in the console: an engine declared as a target by its form; an agent there, its terminal and its files."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Download, Page, expect
from pydantic import SecretStr

import sac_core
from docker_browser import Served, attempt, console, type_line
from docker_engine import docker
from sac_core.client.surface import HttpSac
from sac_core.settings import Settings
from sac_core.testing.serving import serving

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def server(tmp_path: Path, python_image: str) -> AsyncIterator[Served]:
    """A server on which no engine is ready, and the SDK on it; what runs is ended afterwards."""
    token = secrets.token_hex(16)
    plugins = {"docker": {"host": f"unix://{tmp_path}/none.sock"}}
    settings = Settings(data_dir=tmp_path / "data", port=0, token=SecretStr(token), plugins=plugins, resync=2.0)
    async with serving(settings) as info, sac_core.connect(info.url, token) as sac:
        assert isinstance(sac, HttpSac)
        yield info, sac
        for agent in (await sac.agents.list()).items:
            await sac.agents.delete(agent.metadata.name)
            await sac.agents.wait(agent.metadata.name, "absent", timeout=120)


async def test_an_engine_becomes_a_target_with_an_agent(
    chromium: str, server: Served, python_image: str, tmp_path: Path
) -> None:
    (info, sac), at = server, "data-phase"
    (tmp_path / "to-the-container.txt").write_text("carried")
    async with console(chromium, server) as page:
        await page.get_by_test_id("targets").click()
        own = page.get_by_test_id("place-docker-default")
        await expect(own.get_by_test_id("target-phase")).to_have_attribute(at, "NotReady")
        await expect(own).to_contain_text("there is no socket")
        await page.get_by_test_id("new-target").click()
        await page.get_by_test_id("field-name").fill("here")
        await page.get_by_test_id("field-executor").select_option("docker")
        await page.get_by_test_id("field-setting-host").fill(engine_address())
        await page.get_by_test_id("field-setting-image").fill(python_image)
        await page.get_by_test_id("create").click()
        await expect(page.get_by_test_id("target-phase")).to_have_attribute(at, "Ready")
        await expect(page.get_by_test_id("target-overview")).to_contain_text("Limit of memory")
        tested = page.get_by_test_id("tested").filter(has_text="Docker")
        await attempt(page, page.get_by_test_id("test-target").click, tested)

        await page.goto(f"{info.url}/#/new")
        await page.get_by_test_id("field-name").fill("boxed")
        await page.get_by_test_id("field-executor").select_option("docker/here")
        await page.get_by_test_id("create").click()
        await expect(page.get_by_test_id("agent-phase")).to_have_attribute(at, "Running")
        uploaded = page.get_by_test_id("files-said").filter(has_text="1 file uploaded.")
        await attempt(page, lambda: upload(page, tmp_path / "to-the-container.txt"), uploaded)
        assert (await sac.exec("boxed", ["cat", "to-the-container.txt"])).stdout == "carried"
        await page.get_by_test_id("field-from").fill("/etc/hostname")
        comings: list[Download] = []
        page.on("download", lambda coming: comings.append(coming))
        said = page.get_by_test_id("files-said").filter(has_text="hostname is in your downloads.")
        await attempt(page, page.get_by_test_id("download").click, said)
        await comings[-1].save_as(tmp_path / "hostname")
        assert (tmp_path / "hostname").read_text().strip() == (await sac.exec("boxed", ["hostname"])).stdout.strip()
        await page.get_by_test_id("open-terminal").click()
        await type_line(page, "cat *.txt; echo in-$((40 + 2))", "echo in-$((40 + 2))", "carriedin-42")

        await page.goto(f"{info.url}/#/targets/here")
        await attempt(page, lambda: delete(page), page.get_by_test_id("problem").filter(has_text="boxed"))
    containers = docker("ps", "--quiet", "--filter", f"label=sac/uid={(await sac.agents.get('boxed')).metadata.uid}")
    assert len(containers.split()) == 1


async def upload(page: Page, file: Path) -> None:
    async with page.expect_file_chooser() as opening:
        await page.get_by_test_id("upload-files").click()
    await (await opening.value).set_files(file)


async def delete(page: Page) -> None:
    await page.get_by_test_id("delete-target").click()
    await page.get_by_test_id("confirm").click()


def engine_address() -> str:
    """Where the engine of the `docker` command is."""
    told = json.loads(docker("context", "inspect"))[0]["Endpoints"]["docker"]["Host"]
    return os.environ.get("DOCKER_HOST") or str(told)
