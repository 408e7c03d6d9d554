"""Getting in: a link that works once, and an address that keeps no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, expect

if TYPE_CHECKING:
    from browser.conftest import Console
    from live_server import LiveServer

pytestmark = pytest.mark.browser


async def test_the_link_of_sac_console_signs_in_and_its_code_leaves_the_address(
    chromium: Browser, server: LiveServer
) -> None:
    link = await server.sign_in_link()
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(link)
    await expect(page.get_by_test_id("new-agent")).to_be_visible()
    assert "code" not in page.url
    await page.go_back()  # the history must not give it back either
    assert "code" not in page.url
    await context.close()


async def test_a_used_link_says_so_and_lets_nobody_in(chromium: Browser, server: LiveServer) -> None:
    link = await server.sign_in_link()
    for attempt in range(2):
        context = await chromium.new_context()
        page = await context.new_page()
        await page.goto(link)
        if attempt == 0:
            await expect(page.get_by_test_id("new-agent")).to_be_visible()
        else:
            await expect(page.get_by_test_id("sign-in-problem")).to_contain_text("used before")
            await expect(page.get_by_test_id("new-agent")).to_have_count(0)
            assert "code" not in page.url
        await context.close()


async def test_a_reload_stays_signed_in_and_signing_out_ends_it(console: Console) -> None:
    await console.page.reload()
    await expect(console.at("new-agent")).to_be_visible()
    await console.at("sign-out").click()
    await expect(console.at("sign-in")).to_contain_text("You are signed out")
    await console.page.reload()
    await expect(console.at("sign-in")).to_be_visible()
    await expect(console.at("new-agent")).to_have_count(0)


async def test_the_page_has_a_strict_policy(console: Console) -> None:
    answer = await console.page.request.get(console.server.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
