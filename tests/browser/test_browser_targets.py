"""Targets in the console: a list, the form of an executor's settings, a test, the default, and why one stays."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from browser.conftest import Console, OpenConsole
    from live_server import LiveServer

pytestmark = pytest.mark.browser

REFUSED = re.compile(r"status of (400|409|422|503)")

PLUGIN = """
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import Field, SecretStr
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.base import Model
from sac_core.models.body import Finding, Probe
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget


class Settings(Model):
    region: str = Field(default="eu-1", description="Where it is.")
    slots: int = Field(default=4, ge=1, description="How many agents.")
    key: SecretStr | None = Field(default=None, description="What opens it.")
    away: str | None = Field(default=None, description="A file: while it is there, nobody answers.")


class Berth(SimulatedExecutor):
    def __init__(self, settings, owner):
        super().__init__(SimulatedTarget(), owner)
        self.berth = settings

    async def probe(self):
        if self.berth.away and Path(self.berth.away).exists():
            missing = Finding(level="error", check="gate", message="nobody opens", advice="ring the bell")
            return Probe(reachable=False, findings=(missing,))
        rusty = Finding(level="warning", check="hinges", message="they squeak", advice="oil them")
        probe = await super().probe()
        return probe.model_copy(update={"limits": {"slots": str(self.berth.slots)}, "findings": (rusty,)})


@asynccontextmanager
async def opened(settings, context):
    yield Berth(settings, context.owner)


@hookimpl
def sac_executors():
    return [ExecutorPlugin(name="harbour", summary="Has berths", open=opened, settings=Settings)]
"""


def install(site: Path) -> None:
    """As pip leaves it."""
    (site / "sac_executor_harbour.py").write_text(PLUGIN)
    info = site / "sac_executor_harbour-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sac-executor-harbour\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sac]\nharbour = sac_executor_harbour\n")


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, live_server: type[LiveServer]) -> AsyncIterator[LiveServer]:
    """A server with the plugin."""
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "site").mkdir()
    install(folder / "site")
    running = live_server(folder / "data")
    running.env["PYTHONPATH"] = str(folder / "site")
    try:
        await running.start()
        yield running
    finally:
        running.end()


async def phase_is(console: Console, phase: str) -> None:
    await expect(console.at("target-phase")).to_have_attribute("data-phase", phase, timeout=30_000)


async def test_a_target_is_declared_tested_preferred_and_deleted(console: Console, sac: HttpSac) -> None:
    await console.at("targets").click()
    own = console.at("place-harbour-default")
    await expect(own).to_contain_text("chosen by default")
    await expect(console.at("place-process-default").get_by_test_id("not-a-sandbox")).to_be_visible()
    await expect(own.get_by_test_id("target-phase")).to_have_attribute("data-phase", "Ready", timeout=30_000)
    await expect(console.at("standard-executor")).to_contain_text("“process”")

    await console.at("new-target").click()
    await console.at("field-name").fill("east")
    await console.at("field-executor").select_option("harbour")
    await console.at("field-setting-region").fill("east-2")
    await console.at("field-setting-slots").fill("7")
    await console.at("field-setting-key").fill("canary-4711")
    assert await console.at("field-setting-key").get_attribute("type") == "password"
    await console.at("create").click()
    await phase_is(console, "Ready")
    overview = console.at("target-overview")
    for words in ("east-2", "Limit of slots", "7", "Kept secret", "key"):
        await expect(overview).to_contain_text(words)
    await expect(console.at("condition-Reachable")).to_contain_text("True")
    await expect(console.at("findings")).to_contain_text("oil them")
    assert "canary-4711" not in await console.page.content()
    assert (await sac.targets.get("east")).spec.settings == {"region": "east-2", "slots": 7}

    await console.at("test-target").click()
    await expect(console.at("tested")).to_contain_text("it is reachable")
    await expect(console.at("tested")).to_contain_text("they squeak")
    await console.at("set-default").click()
    await expect(console.at("set-default")).to_have_count(0)
    assert (await sac.targets.get("east")).status.default

    await console.go("targets")
    await expect(console.at("place-harbour-east")).to_contain_text("chosen by default")
    await expect(own).not_to_contain_text("chosen by default")
    await own.get_by_test_id("set-default").click()
    await expect(own.get_by_test_id("set-default")).to_have_count(0)
    assert not (await sac.targets.get("east")).status.default

    await console.page.get_by_role("link", name="east").click()
    await console.at("delete-target").click()
    await console.at("confirm").click()
    await expect(console.at("places")).to_be_visible()
    await expect(console.at("place-harbour-east")).to_have_count(0)
    assert (await sac.targets.list()).items == ()


async def test_why_a_target_stays_is_said(console: Console, sac: HttpSac) -> None:
    console.forgiven = REFUSED
    await sac.targets.create("used", "harbour")
    await sac.agents.create("sailor", {"executor": {"name": "harbour", "target": "used"}})
    await console.go("targets/used")
    await expect(console.at("agents-there")).to_contain_text("sailor", timeout=20_000)
    await console.at("delete-target").click()
    await console.at("confirm").click()
    await expect(console.at("problem")).to_contain_text("sailor")
    await expect(console.at("problem")).to_contain_text("delete them first")
    await sac.agents.delete("sailor")
    await sac.agents.wait("sailor", "absent", timeout=30)
    await console.at("set-default").click()
    await expect(console.at("set-default")).to_have_count(0)
    await console.at("delete-target").click()
    await console.at("confirm").click()
    await expect(console.at("problem")).to_contain_text("is the default of its executor")
    await sac.targets.set_default("default", executor="harbour")
    await sac.targets.delete("used")


async def test_a_target_may_take_no_new_agents(console: Console, sac: HttpSac) -> None:
    await sac.targets.create("closing", "harbour")
    await console.go("targets/closing")
    await phase_is(console, "Ready")
    await console.at("set-schedulable").click()
    await expect(console.at("target-overview")).to_contain_text("not taken")
    assert not (await sac.targets.get("closing")).spec.schedulable
    await console.go("new")
    choice = console.at("field-executor").locator("option[value='harbour/closing']")
    await expect(choice).to_be_disabled()
    await console.go("targets/closing")
    await console.at("set-schedulable").click()
    await expect(console.at("set-schedulable")).to_contain_text("Take no new agents")
    assert (await sac.targets.get("closing")).spec.schedulable
    await sac.targets.delete("closing")


async def test_a_place_that_is_away_says_so_and_comes_back(console: Console, sac: HttpSac, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.touch()
    await sac.targets.create("distant", "harbour", {"away": str(away)})
    await console.go("targets/distant")
    await phase_is(console, "NotReady")
    await expect(console.at("condition-Reachable")).to_contain_text("nobody opens")
    await expect(console.at("findings")).to_contain_text("ring the bell")
    await console.at("test-target").click()
    await expect(console.at("tested")).to_contain_text("not reachable")
    away.unlink()
    await console.at("test-target").click()
    await expect(console.at("tested")).to_contain_text("it is reachable")
    await phase_is(console, "Ready")
    await sac.targets.delete("distant")


async def test_what_is_wrong_is_said_at_its_setting(console: Console, sac: HttpSac) -> None:
    console.forgiven = REFUSED
    await console.go("new-target")
    await console.at("field-executor").select_option("harbour")
    await console.at("field-name").fill("default")
    await console.at("create").click()
    await expect(console.at("field-name-wrong")).to_contain_text("by itself")
    await expect(console.at("field-name")).to_be_focused()
    await console.at("field-name").fill("west")
    await console.at("field-setting-slots").fill("none")
    await console.at("create").click()
    await expect(console.at("field-setting-slots-wrong")).to_be_visible()
    await expect(console.at("field-setting-slots")).to_be_focused()
    await console.at("field-executor").select_option("process")
    await expect(console.at("settings")).to_contain_text("Where bodies are kept")
    await console.at("field-setting-folder").fill("relative")
    await console.at("create").click()
    await expect(console.at("field-setting-folder-wrong")).to_contain_text("begin with /")
    assert (await sac.targets.list()).items == ()


async def test_targets_need_no_mouse_and_have_names(console: Console, sac: HttpSac, open_console: OpenConsole) -> None:
    await sac.targets.create("plain", "harbour")
    pages = {"targets": "place-harbour-plain", "targets/plain": "test-target", "new-target": "create"}
    for route, ready in pages.items():
        await console.go(route)
        await expect(console.at(ready)).to_be_visible()
        for kind in ("button", "link", "textbox", "combobox"):
            elements = console.page.get_by_role(kind)
            for index in range(await elements.count()):
                await expect(elements.nth(index)).to_have_accessible_name(re.compile(r"\S"))
        assert await console.page.locator("h1").count() == 1
    await console.at("field-name").focus()
    await console.page.keyboard.type("typed")
    await console.page.keyboard.press("Enter")
    await expect(console.page.locator("h1")).to_have_text("typed")
    await sac.targets.delete("typed")
    await sac.targets.delete("plain")


async def test_targets_are_there_in_dark_and_on_a_small_screen(server: LiveServer, open_console: OpenConsole) -> None:
    async with open_console(server, width=390, height=800, dark=True) as console:
        await console.go("targets")
        await expect(console.at("place-harbour-default")).to_be_visible()
        assert await console.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await console.go("targets/none")
        await expect(console.at("target-missing")).to_be_visible()
