"""The console in a real browser, for tests whose agents are in containers: nothing there is quick on a busy machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright, expect

from sac_core.client.surface import HttpSac
from sac_core.server.announce import ServerInfo

PATIENCE = 300_000
"""Milliseconds."""
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
    info, sac = server
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE)
        await page.goto(f"{info.url}/#code={await sac.sign_in_code()}")
        await expect(page.get_by_test_id("new-agent")).to_be_visible()
        yield page
        await browser.close()
