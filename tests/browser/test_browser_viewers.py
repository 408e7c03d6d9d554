"""One terminal, several viewers, and a server that goes away: nothing is lost, nothing comes twice."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from browser.conftest import Console, OpenConsole
    from live_server import LiveServer

pytestmark = pytest.mark.browser

GONE = re.compile(r"Failed to load resource: net::|WebSocket connection to .* failed")
"""What Chromium itself says when a server is gone; a page cannot prevent it."""
TALL = 2600
"""Pixels, so that the whole output of a test is on the screen at once."""


@pytest.fixture(autouse=True)
async def agent(sac: HttpSac) -> None:
    """The agent `a1`, for all tests of the module."""
    if not (await sac.agents.list()).items:
        await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=20)


async def session(sac: HttpSac, script: str) -> str:
    return (await sac.sessions.create("a1", command=["sh", "-c", script])).metadata.name


async def test_another_browser_sees_everything_since(
    server: LiveServer, sac: HttpSac, open_console: OpenConsole
) -> None:
    name = await session(sac, "echo start; exec cat")
    async with open_console(server) as first, open_console(server) as second:
        await first.open_session(name)
        await first.type("typed in the first\n")
        await first.sees(re.compile("first.*first"))
        await second.open_session(name, "view")
        await second.sees("start")
        assert await second.lines() == ["start", "typed in the first", "typed in the first"]
        await first.type("and more\n")
        await second.sees(re.compile("and more.*and more"))
        assert await second.lines() == await first.lines()


async def test_one_types_the_other_watches_and_takes_over(
    server: LiveServer, sac: HttpSac, open_console: OpenConsole
) -> None:
    name = await session(sac, "stty -echo; exec cat -n")
    async with open_console(server) as first, open_console(server, width=700, height=500) as second:
        await first.open_session(name)
        await second.open_session(name, "view")
        await expect(second.at("watching")).to_be_visible()
        await second.type("from the watcher\n")
        await first.type("from the typist\n")
        await second.sees("1  from the typist")
        size = await first.at("terminal-size").inner_text()
        await second.at("take-over").click()
        await second.has_status("control")
        await first.has_status("view")
        await expect(first.at("terminal-size")).not_to_have_text(size)
        await second.type("now mine\n")  # the focus is in the terminal, not on the button
        await first.sees("2  now mine")
        assert not any("from the watcher" in line for line in await first.lines())


async def test_a_server_killed_in_the_midst_of_output_is_told_and_made_good(
    server: LiveServer, sac: HttpSac, open_console: OpenConsole
) -> None:
    script = "i=0; while [ $i -lt 120 ]; do i=$((i+1)); echo line $i; sleep 0.05; done; exec cat"
    before = await sac.agents.get("a1")
    holders = [process.pid for process in server.holders()]
    async with open_console(server, height=TALL) as console:
        console.forgiven = GONE
        await console.open_session(await session(sac, script))
        await console.sees("line 20")
        server.kill()
        await console.has_status("waiting")
        await expect(console.at("banner")).to_contain_text("Server gone")
        await console.type("lost?")
        await expect(console.at("notice-not-sent")).to_be_visible()
        await server.start()
        await console.has_status("control")
        await console.sees(re.compile(r"line 120\s*$"))
        assert await console.lines() == [f"line {number}" for number in range(1, 121)]
        await console.type("goes on\n")
        await console.sees(re.compile("goes on.*goes on"))
        await expect(console.at("banner")).to_have_count(0)
    async with server.client() as again:
        after = await again.agents.get("a1")
    assert (after.metadata.uid, after.status.restarts) == (before.metadata.uid, 0)
    assert [process.pid for process in server.holders()] == holders


async def test_the_list_says_that_the_server_is_gone_and_comes_back(
    server: LiveServer, sac: HttpSac, open_console: OpenConsole
) -> None:
    async with open_console(server) as console:
        console.forgiven = GONE
        await expect(console.at("agent-row-a1")).to_be_visible()
        server.stop(signal.SIGTERM)
        await expect(console.at("banner")).to_contain_text("Server gone", timeout=20_000)
        await server.start()
        await expect(console.at("banner")).to_have_count(0, timeout=20_000)
        async with server.client() as again:
            await again.agents.create("a2")
        await expect(console.at("agent-row-a2")).to_be_visible(timeout=20_000)


async def test_a_session_that_is_deleted_is_said_to_be_gone(console: Console, sac: HttpSac) -> None:
    name = await session(sac, "exec cat")
    await console.open_session(name)
    await sac.sessions.delete(name)
    await expect(console.at("terminal-gone").or_(console.at("exit-status"))).to_be_visible(timeout=20_000)
