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
