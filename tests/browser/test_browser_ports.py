"""Ports of agents in a real browser: by a link of the console or of the command, each in an origin of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from live_server import until
from port_bench import APP
from sac_core.client.surface import HttpSac
from sac_core.testing.fixtures import unused_port

if TYPE_CHECKING:
    from browser.conftest import Console
    from live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture
async def port(sac: HttpSac, server: LiveServer) -> AsyncIterator[int]:
    """The port of an agent ``web`` whose server answers."""
    port = unused_port()
    command = [sys.executable, str(APP), str(port), str(server.folder / "notes")]
    await sac.agents.create("web", {"command": command, "ports": [{"name": "app", "port": port}]})
    await sac.agents.wait("web", timeout=120)
    probe = ["sh", "-c", f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'"]

    async def listens() -> bool:
        return (await sac.exec("web", probe)).code == 0

    await until(listens, seconds=60)
    yield port
    await sac.agents.delete("web")
    await sac.agents.wait("web", "absent", timeout=120)


async def shows_the_app(page: Page) -> None:
    """The app's script runs in its own origin, and sees no cookie of ours."""
    await expect(page.locator("#said")).to_have_text("cookies: none / ", timeout=20_000)
    await expect(page.locator("#echo")).to_have_text("over a socket", timeout=20_000)


async def test_the_console_opens_a_port_in_a_tab_of_its_own(console: Console, port: int) -> None:
    await console.go("agents/web")
    async with console.page.context.expect_page() as opening:
        await console.at("open-port-app").click()
    tab = await opening.value
    await shows_the_app(tab)
    assert tab.url.startswith(f"http://p{port}-")
    assert await tab.evaluate("window.opener") is None
    await tab.reload()
    await shows_the_app(tab)
    await console.go("agents")
    await expect(console.at("agent-row-web")).to_be_visible()


async def test_the_link_of_the_command_signs_in_once(console: Console, server: LiveServer, port: int) -> None:
    done = await server.run("open", "web")
    assert done.returncode == 0, done.stderr
    link = done.stdout.decode().strip()
    tab = await console.page.context.new_page()
    await tab.goto(link)
    await shows_the_app(tab)
    assert "code" not in tab.url
    other = await console.page.context.browser.new_context()  # type: ignore[union-attr]
    stranger = await other.new_page()
    await stranger.goto(link)
    await expect(stranger.locator("#said")).to_contain_text("used already", timeout=20_000)
    answer = await stranger.goto(link.partition("/.sac/")[0] + "/")
    assert answer is not None
    assert answer.status == 401
    await expect(stranger.locator("h1")).to_have_text("Sign in to see this port")
    await other.close()


async def test_a_page_of_an_agent_reaches_neither_the_console_nor_its_sign_in(
    console: Console, server: LiveServer, port: int
) -> None:
    tab = await console.page.context.new_page()
    await tab.goto((await server.run("open", "web", "app")).stdout.decode().strip())
    await shows_the_app(tab)
    tried = await tab.evaluate(TRY, server.url)
    assert tried == ["blocked", "blocked", 404, 0]


TRY = """async (url) => {
  const ask = async (to, init) => {
    try { const answer = await fetch(to, init); return answer.status || "opaque"; } catch { return "blocked"; }
  };
  const me = "/api/v1/me", all = {credentials: "include"};
  return [await ask(url + me, all), await ask(url + me, {...all, mode: "no-cors"}), await ask(me),
          Object.keys(localStorage).length];
}"""
