"""A page of another origin, in a browser that is signed in: it can neither read nor do anything."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Page

from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from browser.conftest import Console

pytestmark = pytest.mark.browser

BODY = '{"metadata": {"name": "intruder"}, "spec": {"runtime": "shell"}}'
FORM = f"""<form id="form" method="post" enctype="text/plain" target="answer">
<input name='{BODY[:-1]}, "x": "' value='"}}'></form><iframe name="answer"></iframe>"""


class StrangePage(http.server.BaseHTTPRequestHandler):
    """A page with a form that posts JSON without asking."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(f"<!doctype html><title>stranger</title>{FORM}".encode())

    def log_message(self, *args: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def strange_url() -> Iterator[str]:
    """Another port of the same host, to which browsers send the same cookies."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), StrangePage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
async def stranger(console: Console, strange_url: str) -> Page:
    """The strange page in the signed-in browser."""
    page = await console.page.context.new_page()
    await page.goto(strange_url)
    assert await console.page.context.cookies(strange_url), "the browser has the cookie for this page's host too"
    return page


async def test_it_reads_nothing(stranger: Page, console: Console) -> None:
    script = """async (url) => {
      try { return await (await fetch(url, { credentials: "include" })).text(); } catch { return "refused"; }
    }"""
    for path in ("", "api/v1/agents", "api/v1/me", "api/v1/status"):
        assert await stranger.evaluate(script, f"{console.server.url}/{path}") == "refused"
    scripts = """(url) => new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.onload = () => { try { resolve(frame.contentDocument === null); } catch { resolve(true); } };
      frame.src = url; document.body.append(frame);
    })"""
    assert await stranger.evaluate(scripts, console.server.url)


async def test_its_posts_change_nothing(stranger: Page, console: Console, sac: HttpSac) -> None:
    script = """async ([url, body]) => {
      try {
        return (await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body })).type;
      } catch { return "refused"; }
    }"""
    async with stranger.expect_request("**/api/v1/agents"):
        said = await stranger.evaluate(script, [f"{console.server.url}/api/v1/agents", BODY])
    assert said in ("opaque", "refused")
    async with stranger.expect_response("**/api/v1/agents") as answered:
        await stranger.evaluate(
            "(url) => { const form = document.getElementById('form'); form.action = url; form.submit(); }",
            f"{console.server.url}/api/v1/agents",
        )
    assert (await answered.value).status == 403
    assert (await sac.agents.list()).items == ()
    assert (await sac.sessions.list()).items == ()


async def test_its_sockets_are_refused(stranger: Page, console: Console, sac: HttpSac) -> None:
    script = """([url, protocol]) => new Promise((resolve) => {
      const socket = new WebSocket(url, protocol);
      socket.onopen = () => resolve("opened");
      socket.onerror = () => resolve("refused");
    })"""
    await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=20)
    name = (await sac.sessions.create("a1", command=["cat"])).metadata.name
    base = console.server.url.replace("http", "ws") + "/api/v1"
    sockets = {
        f"sessions/{name}/attach": "sac.terminal.v1",
        "agents/a1/exec": "sac.exec.v1",
        "events": "sac.events.v1",
    }
    for path, protocol in sockets.items():
        assert await stranger.evaluate(script, [f"{base}/{path}", protocol]) == "refused"
    await sac.agents.delete("a1")
