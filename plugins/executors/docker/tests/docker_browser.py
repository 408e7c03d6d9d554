"""The console in a real browser, for tests whose agents are in containers: nothing there is quick on a busy machine.

Networks of containers come and go meanwhile, and Chromium drops what is under way when they do: a person tries again,
and so do these.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from playwright.async_api import Error, Locator, Page, async_playwright, expect

from sac_core.client.surface import HttpSac
from sac_core.server.announce import ServerInfo

PATIENCE = 300_000
"""Milliseconds."""
ATTEMPTS = 5
DROPPED = re.compile("server does not answer|It broke off")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

Served = tuple[ServerInfo, HttpSac]
"""A server, and the SDK on it."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; without it a test is skipped, or fails when `browser` is in SAC_TEST_REQUIRE."""
    path = shutil.which("chromium")
    if path is None and "browser" in os.environ.get("SAC_TEST_REQUIRE", "").split(","):
        pytest.fail("browser: chromium is not installed")
    if path is None:
        pytest.skip("browser: chromium is not installed")
    return path


@asynccontextmanager
async def console(chromium: str, server: Served) -> AsyncIterator[Page]:
    """The console in a browser that is signed in."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE)
        await _sign_in(page, server)
        yield page
        await browser.close()


async def _sign_in(page: Page, server: Served) -> None:
    info, sac = server
    for _ in range(ATTEMPTS):
        with suppress(Error):
            await page.goto(f"{info.url}/#code={await sac.sign_in_code()}")
            if await _shown(page.get_by_test_id("new-agent"), 30_000):
                return
        await page.goto("about:blank")
    raise AssertionError("the browser could not sign in")


async def attempt(page: Page, act: Callable[[], Awaitable[object]], wanted: Locator) -> None:
    """Do something until what it leads to is shown; again when the browser dropped it."""
    dropped = page.get_by_test_id("problem").filter(has_text=DROPPED)
    for _ in range(ATTEMPTS):
        await act()
        await expect(wanted.or_(dropped).first).to_be_visible()
        if await wanted.count() > 0:
            return
        await dropped.get_by_role("button").click()
    raise AssertionError(f"it was dropped {ATTEMPTS} times")


async def type_line(page: Page, line: str, shown: str, answer: str) -> None:
    """Type a line into the terminal, until it is ``shown`` there whole; then Enter, until there is an ``answer``."""
    rows = page.locator(".xterm-rows")
    for key, wanted in (("Control+u", shown), ("Enter", answer)):
        for _ in range(ATTEMPTS):
            await expect(page.get_by_test_id("terminal-status")).to_have_attribute("data-status", "control")
            await page.locator(".xterm-helper-textarea").focus()
            await page.keyboard.press(key)
            if key != "Enter":
                await page.keyboard.type(line)
            if await _shown(rows.filter(has_text=wanted), 60_000):
                break
        else:
            raise AssertionError(f"{wanted!r} never came")


async def _shown(what: Locator, milliseconds: float) -> bool:
    try:
        await expect(what).to_be_visible(timeout=milliseconds)
    except AssertionError:
        return False
    return True
