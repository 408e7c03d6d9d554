"""A request that the browser drops, as it does when a network of its machine comes or goes, is asked again, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Route, expect

from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from browser.conftest import Console

pytestmark = pytest.mark.browser

DROPPED = re.compile(r"net::ERR_INTERNET_DISCONNECTED")


async def test_what_is_made_is_made_once_though_its_answer_was_dropped(console: Console, sac: HttpSac) -> None:
    keys: list[str | None] = []

    async def drop_the_answer(route: Route) -> None:
        keys.append(await route.request.header_value("idempotency-key"))
        answer = await route.fetch()
        if len(keys) == 1:
            await route.abort("internetdisconnected")
        else:
            await route.fulfill(response=answer)

    await console.go("new")
    await console.at("field-name").fill("once")
    await console.page.route("**/api/v1/agents", drop_the_answer)
    console.forgiven = DROPPED
    await console.at("create").click()
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=30_000)
    assert len(keys) == 2
    assert keys[0]
    assert keys[0] == keys[1]
    await console.go("agents")
    await sac.agents.delete("once")


async def test_what_is_read_is_read_again(console: Console) -> None:
    asked: list[str] = []

    async def drop_the_first(route: Route) -> None:
        asked.append(route.request.method)
        await (route.abort("internetdisconnected") if len(asked) == 1 else route.continue_())

    await console.page.route("**/api/v1/plugins", drop_the_first)
    console.forgiven = DROPPED
    await console.go("new")
    await expect(console.at("create")).to_be_visible()
    assert asked == ["GET", "GET"]


async def test_a_part_of_the_page_is_loaded_again(console: Console, sac: HttpSac) -> None:
    dropped: list[str] = []

    async def drop_once(route: Route) -> None:
        new = route.request.url not in dropped
        dropped.append(route.request.url)
        await (route.abort("internetdisconnected") if new else route.continue_())

    await sac.agents.create("part")
    await sac.agents.wait("part", timeout=20)
    await console.go("agents/part")
    await expect(console.at("open-terminal")).to_be_enabled()
    await console.page.route("**/assets/*", drop_once)
    console.forgiven = DROPPED
    await console.at("open-terminal").click()
    await console.has_status("control")
    assert dropped
    await sac.agents.delete("part")


async def test_a_part_of_the_page_that_does_not_come_can_be_asked_for(console: Console, sac: HttpSac) -> None:
    await sac.agents.create("part")
    await sac.agents.wait("part", timeout=20)
    session = await sac.sessions.create("part")
    await console.go("agents/part")
    await expect(console.at("open-terminal")).to_be_enabled()
    await console.page.route("**/assets/*", lambda route: route.abort("internetdisconnected"))
    console.forgiven = DROPPED
    await console.go(f"sessions/{session.metadata.name}")
    await expect(console.at("load-again")).to_be_visible()
    await console.page.unroute("**/assets/*")
    await console.at("load-again").click()
    await console.has_status("control")
    await sac.agents.delete("part")
