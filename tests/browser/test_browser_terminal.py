"""A terminal in the browser: typing, size, history, colours, what is pasted and what is linked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sac_core.client.surface import HttpSac
from sac_core.testing.fixtures import eventually

if TYPE_CHECKING:
    from browser.conftest import Console, OpenConsole
    from live_server import LiveServer

pytestmark = pytest.mark.browser

BASH = ["bash", "--norc", "--noprofile"]


@pytest.fixture(autouse=True)
async def agent(sac: HttpSac) -> AsyncIterator[None]:
    """The agent `a1`, for each test its own."""
    await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=20)
    yield
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=20)


async def session(sac: HttpSac, *command: str) -> str:
    return (await sac.sessions.create("a1", command=command or BASH)).metadata.name


async def test_a_terminal_opens_takes_what_is_typed_and_shows_the_exit(console: Console) -> None:
    await console.go("agents/a1")
    await console.at("open-terminal").click()
    await console.has_status("control")
    await console.type("echo $((6 * 7))-times; exit 3\n")
    await console.sees("42-times")
    await expect(console.at("exit-status")).to_have_attribute("data-code", "3")
    await console.has_status("ended")
    await console.page.reload()
    await console.sees("42-times")
    await expect(console.at("exit-status")).to_have_attribute("data-code", "3")


async def test_a_killed_program_shows_its_signal(console: Console, sac: HttpSac) -> None:
    await console.open_session(await session(sac, "sh", "-c", "read x; kill -9 $$"))
    await console.type("\n")
    await expect(console.at("exit-status")).to_have_attribute("data-signal", "KILL")


async def test_the_size_follows_the_window(console: Console, sac: HttpSac) -> None:
    await console.open_session(await session(sac))
    size = console.at("terminal-size")
    before = await size.inner_text()
    await console.page.set_viewport_size({"width": 700, "height": 500})
    await expect(size).not_to_have_text(before)
    await expect(size).to_have_text(re.compile(r"\d+ × \d+"))
    cols, rows = (await size.inner_text()).split(" × ")
    await console.type("echo size: $(stty size)\n")
    await console.sees(f"size: {rows} {cols}")


async def test_a_reload_shows_everything_once(console: Console, sac: HttpSac) -> None:
    await console.open_session(await session(sac, "sh", "-c", "seq -f 'line %g' 1 20; exec cat"))
    await console.sees("line 20")
    wanted = [f"line {number}" for number in range(1, 21)]
    assert await console.lines() == wanted
    await console.type("after\n")
    await expect(console.rows).to_contain_text(re.compile("after.*after", re.DOTALL))
    for _ in range(2):
        await console.page.reload()
        await console.has_status("control")
        await expect(console.rows).to_contain_text(re.compile("line 20.*after.*after", re.DOTALL))
        assert await console.lines() == [*wanted, "after", "after"]


async def test_wide_letters_and_colours_are_drawn(console: Console, sac: HttpSac) -> None:
    script = "printf '漢字|é|👍🏽|\\n\\033[38;2;12;200;99mgreen\\033[0m \\033[1mbold\\033[0m\\n'; exec cat"
    await console.open_session(await session(sac, "sh", "-c", script))
    await console.sees("漢字|é|👍🏽|")
    green = console.rows.get_by_text("green", exact=True)
    await expect(green).to_have_css("color", "rgb(12, 200, 99)")
    await expect(console.rows.get_by_text("bold", exact=True)).to_have_css("font-weight", "700")
    one = await console.rows.get_by_text("bold", exact=True).bounding_box()
    wide = await console.rows.locator("span", has_text="漢").first.bounding_box()
    assert one is not None
    assert wide is not None
    assert wide["width"] >= 1.5 * one["width"] / 4, "a wide letter takes two cells"


async def test_a_paste_cannot_end_its_own_bracket(console: Console, sac: HttpSac) -> None:
    program = "printf '\\033[?2004h'; stty raw -echo; echo ready; exec od -An -v -w1 -c"
    await console.open_session(await session(sac, "sh", "-c", program))
    await console.sees("ready")
    await paste(console, "one\x1b[201~two\x1b[20\x1b[201~1~3")
    await expect(console.rows).to_contain_text(
        re.compile(r"033.*\[.*2.*0.*0.*~.*o.*n.*e.*t.*w.*o.*3.*033.*2.*0.*1.*~", re.DOTALL)
    )
    shown = "".join(line.strip() for line in (await console.lines())[1:])
    assert shown == "033[200~onetwo3033[201~"


async def paste(console: Console, text: str) -> None:
    """Paste as the browser does, by an event with data."""
    await console.page.locator(".xterm-helper-textarea").evaluate(
        """(element, text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", text);
          element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        text,
    )


async def test_a_large_paste_arrives_as_it_was(console: Console, sac: HttpSac) -> None:
    size = 10_000_000
    program = f"stty raw -echo; echo ready; head -c {size} | sha256sum; exec cat"
    await console.open_session(await session(sac, "sh", "-c", program))
    await console.sees("ready")
    text = ("0123456789abcdef" * (size // 16 + 1))[:size]
    await paste(console, text)
    await console.sees(hashlib.sha256(text.encode()).hexdigest()[:60])


async def test_only_web_addresses_are_links(console: Console, sac: HttpSac) -> None:
    link = "\\033]8;;{0}\\033\\\\{1}\\033]8;;\\033\\\\ "
    targets = {"good": "https://example.org/x", "bad": "javascript:alert(1)", "local": "file:///etc/passwd"}
    text = "".join(link.format(target, name) for name, target in targets.items())
    await console.open_session(await session(sac, "sh", "-c", f"printf '{text}\\n'; exec cat"))
    await console.sees("good bad local")
    opened: list[str] = []
    await console.page.context.route("https://example.org/**", lambda route: route.fulfill(body="there"))
    console.page.context.on("page", lambda page: opened.append(page.url))
    places = {name: await place_of(console, name) for name in targets}
    for name in ("bad", "local"):
        await click(console, places[name])
    async with console.page.context.expect_page() as popup:
        await click(console, places["good"])
    page = await popup.value
    await page.wait_for_url("https://example.org/x")
    assert len(opened) == 1
    assert await page.evaluate("window.opener") is None


async def place_of(console: Console, text: str) -> tuple[float, float]:
    """The middle of a text: the emulator's own layer takes the mouse, above its rows, so clicks go by position."""
    box = await console.rows.get_by_text(text, exact=True).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def click(console: Console, place: tuple[float, float]) -> None:
    x, y = place
    await console.page.mouse.move(x, y + 200)
    await console.page.mouse.move(x, y)
    await console.page.mouse.move(x + 1, y)
    await console.page.mouse.click(x + 1, y)


async def test_a_title_is_shown_without_what_could_deceive(console: Console, sac: HttpSac) -> None:
    await console.open_session(
        await session(sac, "sh", "-c", "printf '\\033]0;<b>ti\\342\\200\\256tle</b>\\007'; exec cat")
    )
    await expect(console.at("terminal-title")).to_have_text("<b>title</b>")


async def test_html_in_the_output_stays_text(console: Console, sac: HttpSac) -> None:
    await console.open_session(await session(sac, "sh", "-c", "echo '<img src=x onerror=alert(1)>'; exec cat"))
    await console.sees("<img src=x onerror=alert(1)>")
    assert await console.page.locator(".xterm-rows img").count() == 0


async def test_a_tall_window_shows_a_long_output_in_order(
    server: LiveServer, sac: HttpSac, open_console: OpenConsole
) -> None:
    async with open_console(server, height=2400) as console:
        await console.open_session(await session(sac, "sh", "-c", "read x; seq 1 100; exec cat"))
        await console.type("\n")
        await console.sees(re.compile(r"100\s*$"))
        assert await console.lines() == [str(number) for number in range(1, 101)]


async def test_a_click_reaches_a_program_that_wants_the_mouse(console: Console, sac: HttpSac) -> None:
    program = "printf '\\033[?1000h\\033[?1006h'; stty raw -echo; echo ready; exec od -An -v -w1 -c"
    await console.open_session(await session(sac, "sh", "-c", program))
    await console.sees("ready")
    x, y = await place_of(console, "ready")
    await console.page.mouse.click(x, y)
    between = r"\s*".join(["033", re.escape("["), "<", "0", ";", "[2-4]", ";", "1", "M"])
    await console.sees(re.compile(between))


async def pasted(console: Console) -> bool:
    """Press the keys, and see whether what was copied is there: the browser copies in its own time."""
    await console.page.keyboard.press("Control+Shift+V")
    return "again precious" in " ".join(await console.lines())


async def test_what_is_selected_is_copied_and_pasted_by_keys(console: Console, sac: HttpSac) -> None:
    await console.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await console.open_session(await session(sac, "sh", "-c", "echo precious; exec cat"))
    await console.sees("precious")
    x, y = await place_of(console, "precious")
    await console.page.mouse.dblclick(x, y)
    await expect(console.page.locator(".xterm-selection div")).not_to_have_count(0)
    await console.page.keyboard.press("Control+Shift+C")
    await console.type("again ")
    await console.sees("again ")
    await eventually(lambda: pasted(console), 20)
