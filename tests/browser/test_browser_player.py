"""The player of recordings in the browser: finding one, playing it, going to a place in it, searching it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from live_server import until
from sac_core.client.surface import HttpSac
from sac_core.wire.terminal import Exited

if TYPE_CHECKING:
    from browser.conftest import Console

pytestmark = pytest.mark.browser

STORY = r"""
printf '\033[1mfirst\033[0m needle\n'; sleep 0.5
seq -f 'line %g' 1 5; sleep 0.5
printf 'second \033[3'; printf '1mneed\033[0mle\n'; sleep 0.5
printf '\033[2J\033[Hlast\033[c'
"""


@pytest.fixture(autouse=True)
async def agent(sac: HttpSac) -> AsyncIterator[None]:
    """The agent `a1`, for each test its own."""
    await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=20)
    yield
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=20)


async def recorded(sac: HttpSac, script: str = STORY) -> str:
    """A recording that is complete."""
    session = await sac.sessions.create("a1", command=["sh", "-c", script], recording="strict", tty=(60, 20))
    name = session.metadata.name

    async def complete() -> bool:
        return (await sac.recordings.get(name)).status.phase == "Complete"

    await until(complete)
    return name


async def paused(console: Console, name: str) -> None:
    """Show a recording that was played to its end, by a jump there."""
    await console.go(f"recordings/{name}")
    await expect(console.at("player-seek")).to_have_attribute("max", re.compile(r"[1-9]"))
    await console.page.keyboard.press("End")
    await expect(console.at("player-play")).to_have_attribute("data-playing", "false")


async def test_a_recording_is_found_played_to_its_end_and_deleted(console: Console, sac: HttpSac) -> None:
    name = await recorded(sac)
    await console.go("agents/a1")
    await expect(console.at("agent-recordings").get_by_test_id(f"recording-row-{name}")).to_be_visible()
    await console.at("recordings").click()
    row = console.at(f"recording-row-{name}")
    await expect(row.get_by_test_id("recording-phase")).to_have_attribute("data-phase", "Complete")
    await row.get_by_role("link", name=name, exact=True).click()
    await expect(console.at("player-play")).to_have_attribute("data-playing", "false", timeout=10_000)
    assert await console.lines() == ["last"]
    await expect(console.at("player-time")).to_have_text(re.compile(r"(\d:\d\d) of \1"))
    await console.go("recordings")
    await row.get_by_test_id("delete-recording").click()
    await console.at("confirm").click()
    await expect(row).to_have_count(0)


async def test_what_was_shown_at_a_time_is_shown_again(console: Console, sac: HttpSac) -> None:
    await paused(console, await recorded(sac))
    await console.sees("last")
    await console.page.keyboard.press("Home")
    await expect(console.rows).not_to_contain_text("last")
    duration = float(await console.at("player-seek").get_attribute("max") or "0")
    await console.at("player-seek").fill(str(duration - 0.75))
    await console.sees("line 5")
    await expect(console.rows).not_to_contain_text("second")
    assert await console.lines() == ["first needle", *(f"line {number}" for number in range(1, 6))]


async def test_text_is_searched_and_jumped_to(console: Console, sac: HttpSac) -> None:
    await paused(console, await recorded(sac))
    await console.page.keyboard.press("/")
    await console.page.keyboard.type("Needle")
    await expect(console.at("player-hits")).to_have_text("2 found")
    await console.page.keyboard.press("Shift+Enter")
    await expect(console.at("player-hits")).to_have_text("2 of 2")
    await console.sees("second needle")
    await expect(console.page.locator(".xterm-selection > div").first).to_be_visible()
    await expect(console.rows).not_to_contain_text("last")
    await console.page.keyboard.press("Enter")
    await expect(console.at("player-hits")).to_have_text("1 of 2")
    await expect(console.rows).not_to_contain_text("line 1")
    await console.sees("first needle")
    await console.at("player-search").fill("nowhere")
    await expect(console.at("player-hits")).to_have_text("Not found")


async def test_speed_and_skipped_pauses(console: Console, sac: HttpSac) -> None:
    await paused(console, await recorded(sac, "echo one; sleep 4; echo two"))
    await console.page.keyboard.press("Home")
    for key, speed in (
        (">", "2"),
        (">", "4"),
        (">", "8"),
        (">", "8"),
        ("<", "4"),
        ("<", "2"),
        ("<", "1"),
        ("<", "0.5"),
    ):
        await console.page.keyboard.press(key)
        await expect(console.at("player-speed")).to_have_value(speed)
    await console.at("player-skip").check()
    await console.at("player-play").click()
    await expect(console.rows).to_contain_text("two", timeout=6_000)  # at half the speed, without the pause: 2 s, not 8
    await expect(console.at("player-play")).to_have_attribute("data-playing", "false")


async def test_what_a_recording_asks_for_it_does_not_get(console: Console, sac: HttpSac) -> None:
    """Nothing that was printed then is answered, opened or copied now."""
    sent: list[str] = []
    console.page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(str(data))))
    name = await recorded(sac, r"printf 'a\033[c\033[6n\033]52;c;aGVsbG8=\007\033]0;title\007b'")
    await console.go(f"recordings/{name}")
    await console.sees("ab")
    await console.page.locator(".xterm-helper-textarea").focus()
    await console.page.keyboard.type("xyz")
    await expect(console.at("clipboard-offer")).to_have_count(0)
    assert await console.lines() == ["ab"]
    assert not [frame for frame in sent if "subscribe" not in frame]


async def test_one_that_goes_on_can_be_read_again_and_a_terminal_leads_to_its_own(
    console: Console, sac: HttpSac
) -> None:
    session = await sac.sessions.create(
        "a1", command=["sh", "-c", "echo one; read go; echo two"], recording="best_effort"
    )
    name = session.metadata.name

    async def begun() -> bool:
        return b"one" in b"".join([piece async for piece in sac.recordings.cast(name)])

    await until(begun)
    await console.go(f"recordings/{name}")
    await console.sees("one")
    await expect(console.at("player-going-on")).to_be_visible()
    async with sac.sessions.attach(name) as terminal:
        await terminal.write(b"\n")
        async for event in terminal:  # what is typed right before one leaves need not arrive
            if isinstance(event, Exited):
                break
    await until(lambda: complete(sac, name))
    await console.at("player-again").click()
    await console.sees("two")
    await expect(console.at("player-going-on")).to_have_count(0)
    await console.go(f"sessions/{name}")
    await console.at("replay").click()
    await expect(console.at("player-play")).to_be_visible()


async def complete(sac: HttpSac, name: str) -> bool:
    return (await sac.recordings.get(name)).status.phase == "Complete"


async def test_what_is_not_there_is_said(console: Console) -> None:
    console.forgiven = re.compile("404")
    await console.go("recordings/nosuch")
    await expect(console.at("recording-gone")).to_be_visible()
