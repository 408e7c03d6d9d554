"""Agents in the console: live phases, the form, what is said when something is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from browser.conftest import Console, OpenConsole
    from live_server import LiveServer

pytestmark = pytest.mark.browser

BAD_REQUEST = re.compile(r"status of (400|404|409|422)")
"""Chromium tells of every refused request in its own console."""


async def fill_in(console: Console, name: str, folder: str = "") -> None:
    await console.go("new")
    await console.at("field-name").fill(name)
    await console.at("field-folder").fill(folder)
    await console.at("create").click()


async def test_what_most_agents_do_without_is_behind_more(console: Console, sac: HttpSac) -> None:
    console.forgiven = BAD_REQUEST
    await console.go("new")
    await console.at("field-name").fill("more")
    await expect(console.at("field-command")).to_be_hidden()
    await console.at("more").click()
    await console.at("field-command").fill("sh -c 'echo \"$WORD\"; sleep 600'")
    await console.at("field-environment").fill("WORD=spoken\nEMPTY=")
    await console.at("field-repository").fill("not an address")
    await console.at("more").click()
    await console.at("create").click()  # what is wrong is shown, and what hides it opens
    await expect(console.at("field-repository-wrong")).to_contain_text("whole address")
    await expect(console.at("field-repository")).to_be_focused()
    await console.at("field-repository").fill("")
    await console.at("create").click()
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=20_000)
    spec = (await sac.agents.get("more")).spec
    assert spec.command == ("sh", "-c", 'echo "$WORD"; sleep 600')
    assert spec.env == {"WORD": "spoken", "EMPTY": ""}
    await sac.agents.delete("more")


async def test_the_form_makes_an_agent_whose_phase_is_live(console: Console, sac: HttpSac) -> None:
    await fill_in(console, "made")
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=20_000)
    await console.go("agents")
    phase = console.at("agent-row-made").get_by_test_id("agent-phase")
    await expect(phase).to_have_attribute("data-phase", "Running")
    await sac.agents.stop("made")
    await expect(phase).to_have_attribute("data-phase", "Stopped", timeout=20_000)
    await sac.agents.delete("made")
    await expect(console.at("agent-row-made")).to_have_count(0, timeout=20_000)


async def test_what_happened_and_why_is_live_on_the_agents_page(console: Console, sac: HttpSac) -> None:
    await sac.agents.create("told")
    await sac.agents.wait("told", timeout=20)
    await console.go("agents/told")
    timeline = console.at("timeline")
    await expect(timeline).to_contain_text("asked to create it, over HTTP from 127.0.0.1", timeout=20_000)
    await console.at("stop-agent").click()
    await console.page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    asked = timeline.get_by_role("row").filter(has_text="asked to stop it, in the console")
    await expect(asked).to_have_count(1, timeout=20_000)
    number = await asked.get_by_role("rowheader").inner_text()
    wanted = timeline.get_by_role("row").filter(has_text="version 2 is wanted: changed state")
    await expect(wanted.get_by_role("cell").last).to_have_text(number)
    await expect(timeline.get_by_role("row").nth(1)).to_contain_text("Stopped", timeout=20_000)
    await sac.agents.delete("told")


async def test_a_bad_name_is_said_at_its_field(console: Console, sac: HttpSac) -> None:
    console.forgiven = BAD_REQUEST
    await fill_in(console, "Not_A_Label")
    wrong = console.at("field-name-wrong")
    await expect(wrong).to_contain_text("DNS label")
    await expect(console.at("field-name")).to_be_focused()
    await expect(console.at("field-name")).to_have_attribute("aria-invalid", "true")
    assert [agent.metadata.name for agent in (await sac.agents.list()).items] == []


async def test_a_taken_name_is_said_at_its_field(console: Console, sac: HttpSac) -> None:
    console.forgiven = BAD_REQUEST
    await sac.agents.create("taken")
    await fill_in(console, "taken")
    await expect(console.at("field-name-wrong")).to_contain_text("taken")
    await sac.agents.delete("taken")


async def test_a_relative_folder_is_said_at_its_field(console: Console) -> None:
    console.forgiven = BAD_REQUEST
    await fill_in(console, "relative", "some/where")
    await expect(console.at("field-folder-wrong")).to_contain_text("absolute path")


async def test_an_unknown_folder_is_told_on_the_agents_page(console: Console, sac: HttpSac, tmp_path: Path) -> None:
    await fill_in(console, "homeless", str(tmp_path / "nowhere"))
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Failed", timeout=20_000)
    await expect(console.page.locator("main")).to_contain_text(f"{tmp_path}/nowhere")
    await sac.agents.delete("homeless")


async def test_what_is_not_isolated_is_called_so_wherever_it_is_seen(console: Console, sac: HttpSac) -> None:
    await console.go("new")
    await expect(console.at("isolation-warning")).to_contain_text("not a sandbox")
    await expect(console.at("isolation-warning")).to_contain_text("They can read and change whatever you can")
    await sac.agents.create("open")
    await sac.agents.wait("open", timeout=20)
    await console.go("agents")
    await expect(console.at("agent-row-open").get_by_test_id("not-a-sandbox")).to_be_visible(timeout=20_000)
    await console.go("agents/open")
    await expect(console.page.locator(".page-head").get_by_test_id("not-a-sandbox")).to_be_visible()
    await console.at("open-terminal").click()
    await console.has_status("control")
    await expect(console.page.locator(".terminal-bar").get_by_test_id("not-a-sandbox")).to_be_visible()
    await sac.agents.delete("open")


async def test_deleting_asks_first_and_then_leaves_the_list(console: Console, sac: HttpSac) -> None:
    await sac.agents.create("unwanted")
    await console.go("agents/unwanted")
    await console.at("delete-agent").click()
    await expect(console.at("confirm")).to_be_visible()
    await console.page.keyboard.press("Escape")
    await expect(console.at("confirm")).to_have_count(0)
    await console.at("delete-agent").click()
    await console.at("confirm").click()
    await console.go("agents")
    await expect(console.at("agent-row-unwanted")).to_have_count(0, timeout=20_000)


async def test_deleting_may_leave_the_volumes(console: Console, sac: HttpSac) -> None:
    await sac.agents.create("dear")
    await sac.agents.wait("dear", timeout=20)
    await console.go("agents/dear")
    await console.at("delete-agent").click()
    await console.page.get_by_label("Keep what its executor has of it").check()
    await console.at("confirm").click()
    await sac.agents.wait("dear", "absent", timeout=20)
    assert "kept" in (await sac.agents.timeline("dear")).items[-1].details


async def test_an_agent_whose_executor_is_away_can_be_given_up(console: Console, sac: HttpSac, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    await sac.targets.create("gone", "process", {"folder": str(tmp_path / "file")})
    await sac.agents.create("lost", {"executor": {"name": "process", "target": "gone"}})
    await console.go("agents/lost")
    away = console.page.get_by_role("rowheader", name="ExecutorReachable")
    await expect(away).to_be_visible(timeout=20_000)
    await console.at("delete-agent").click()
    await console.at("confirm").click()
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Terminating", timeout=20_000)
    await expect(console.page.get_by_text("sac delete --abandon lost").first).to_be_visible(timeout=20_000)
    await console.at("delete-agent").click()
    await console.page.get_by_label("Delete it even if its executor never answers").check()
    await console.at("confirm").click()
    await sac.agents.wait("lost", "absent", timeout=20)
    await sac.targets.delete("gone")


async def test_every_input_has_a_label_and_every_button_a_name(console: Console, sac: HttpSac) -> None:
    await sac.agents.create("named")
    for route, ready in (("agents", "agent-row-named"), ("new", "create"), ("agents/named", "open-terminal")):
        await console.go(route)
        await expect(console.at(ready)).to_be_visible()
        for kind in ("button", "link", "textbox", "combobox"):
            elements = console.page.get_by_role(kind)
            for index in range(await elements.count()):
                await expect(elements.nth(index)).to_have_accessible_name(re.compile(r"\S"))
        assert await console.page.locator("h1").count() == 1
        assert await console.page.title()
    await sac.agents.delete("named")


async def test_a_keyboard_is_enough(console: Console, sac: HttpSac) -> None:
    page = console.page
    await tab_to(console, "new-agent")
    await page.keyboard.press("Enter")
    await expect(console.at("field-name")).to_be_visible()
    await tab_to(console, "field-name")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("by-hand")
    await page.keyboard.press("Enter")
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=20_000)
    await tab_to(console, "open-terminal")
    await page.keyboard.press("Enter")
    await console.has_status("control")
    await page.keyboard.type("echo hands-$((40 + 2))\n")  # the terminal has the focus by itself
    await console.sees("hands-42")
    await page.keyboard.press("Tab")  # is the shell's, not the page's
    await expect(page.locator(".xterm-helper-textarea")).to_be_focused()
    await page.keyboard.press("Control+F6")
    await expect(page.locator(".xterm-helper-textarea")).not_to_be_focused()
    await page.keyboard.press("Enter")  # the way back to the agent
    await expect(console.at("open-terminal")).to_be_visible()
    await sac.agents.delete("by-hand")


async def tab_to(console: Console, testid: str) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    for _ in range(40):
        if await console.page.evaluate("document.activeElement?.dataset?.testid") == testid:
            return
        await console.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {testid}")


async def test_light_and_dark_follow_the_system_and_the_button(
    server: LiveServer, open_console: OpenConsole, tmp_path: Path
) -> None:
    seen = []
    for dark in (False, True):
        async with open_console(server, dark=dark) as console:
            await console.page.screenshot(path=tmp_path / f"{'dark' if dark else 'light'}.png")
            seen.append(await background(console))
            await console.at("theme").click()  # light
            light = await background(console)
            await console.at("theme").click()  # dark
            assert await background(console) != light
            assert light == seen[0]
    assert seen[0] != seen[1]


async def background(console: Console) -> str:
    colour: str = await console.page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour
