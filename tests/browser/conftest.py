"""Chromium, a server of its own process, and a page that is signed in and watched for complaints."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from live_server import LiveServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
expect.set_options(timeout=20_000)  # the machine may be busy with other tests

TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
  (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""
NETWORK_CHANGED = re.compile("net::ERR_NETWORK_CHANGED")
"""What Chromium tells when a network interface of the machine came or went, as one does with each container."""
GONE = re.compile(r"Failed to load resource: net::|WebSocket connection to .* failed|ERR_CONNECTION_REFUSED")
"""What Chromium itself says when a server is gone; a page cannot prevent it."""


@dataclass
class Console:
    """A signed-in page. ``complaints`` are errors of the page and breaches of its policy: there shall be none."""

    page: Page
    server: LiveServer
    complaints: list[str] = field(default_factory=list)
    forgiven: re.Pattern[str] | None = None

    def watch(self) -> None:
        """Collect what goes wrong in the page from now on."""
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        forgiven = NETWORK_CHANGED.search(message.text) or (self.forgiven and self.forgiven.search(message.text))
        if message.type == "error" and not forgiven:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def at(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def go(self, route: str) -> None:
        """Show a page of the console."""
        await self.page.goto(f"{self.server.url}/#/{route}")

    async def open_session(self, name: str, status: str = "control") -> None:
        """Show a terminal and wait until it is there as ``status``."""
        await self.go(f"sessions/{name}")
        await self.has_status(status)

    async def has_status(self, status: str) -> None:
        await expect(self.at("terminal-status")).to_have_attribute("data-status", status, timeout=20_000)

    @property
    def rows(self) -> Locator:
        """The terminal's screen."""
        return self.page.locator(".xterm-rows")

    async def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until the screen has this text."""
        await expect(self.rows).to_contain_text(text, timeout=20_000)

    async def lines(self) -> list[str]:
        """What the screen shows now, without empty lines."""
        texts = await self.rows.locator("> div").all_inner_texts()
        return [text.replace("\xa0", " ").rstrip() for text in texts if text.strip("\xa0 \n")]

    async def type(self, text: str) -> None:
        """Type into the terminal; ``\\n`` is Enter."""
        await self.page.locator(".xterm-helper-textarea").focus()
        await self.page.keyboard.type(text)


OpenConsole = Callable[..., AbstractAsyncContextManager[Console]]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """asyncio only; a browser and a server serve a whole module."""
    return "asyncio"


@pytest.fixture(scope="module")
async def chromium(needed: Callable[[str, str], str]) -> AsyncIterator[Browser]:
    path = needed("browser", "chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, live_server: type[LiveServer]) -> AsyncIterator[LiveServer]:
    """A server that the tests of a module share."""
    running = live_server(tmp_path_factory.mktemp("sac") / "data")
    try:
        await running.start()
        yield running
    finally:
        running.end()


@pytest.fixture
async def sac(server: LiveServer) -> AsyncIterator[HttpSac]:
    """The SDK on the server."""
    async with server.client() as client:
        yield client


@pytest.fixture
def open_console(chromium: Browser) -> OpenConsole:
    """Another browser: a context of its own, signed in with a link of its own."""

    @asynccontextmanager
    async def opened(
        server: LiveServer, *, width: int = 1000, height: int = 700, dark: bool = False
    ) -> AsyncIterator[Console]:
        context = await chromium.new_context(
            viewport=ViewportSize(width=width, height=height), color_scheme="dark" if dark else "light"
        )
        console = await new_page(context, server)
        await console.page.goto(await sign_in_link(server))
        await expect(console.at("new-agent")).to_be_visible()
        yield console
        await context.close()
        assert console.complaints == []

    return opened


async def new_page(context: BrowserContext, server: LiveServer) -> Console:
    """A page that is watched from the first moment."""
    page = await context.new_page()
    await page.add_init_script(TELL_VIOLATIONS)
    console = Console(page, server)
    console.watch()
    return console


async def sign_in_link(server: LiveServer) -> str:
    """As `sac console` makes one, without the time that a command takes."""
    async with server.client() as sac:
        return f"{server.url}/#code={await sac.sign_in_code()}"


@pytest.fixture
async def console(server: LiveServer, open_console: OpenConsole) -> AsyncIterator[Console]:
    """A signed-in page on the module's server."""
    async with open_console(server) as opened:
        yield opened
