"""An agent with a server in it, and SAC's own server in front: what tests of ports ask."""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from live_server import LiveServer, until
from sac_core.client import connect as connect_sac
from sac_core.client.surface import HttpSac
from sac_core.models.agent import Agent
from sac_core.settings import Settings
from sac_core.testing.fixtures import unused_port
from sac_core.testing.serving import serving

APP = Path(__file__).with_name("port_app.py")


@dataclass
class PortBench:
    """One agent, ``web``, whose server listens on ``port`` and not on ``silent``; SAC listens on ``listening``."""

    sac: HttpSac
    agent: Agent
    port: int
    silent: int
    listening: int
    token: str
    notes: Path
    http: httpx2.AsyncClient = field(repr=False)

    @property
    def host(self) -> str:
        """The host name of the agent's port, as a browser writes it."""
        return self.host_of(self.port)

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def host_of(self, port: int, uid: str | None = None) -> str:
        return f"p{port}-{uid or self.agent.metadata.uid}.localhost:{self.listening}"

    async def get(self, path: str = "/echo", **options: Any) -> httpx2.Response:
        """A request in the name of the local user."""
        return await self.ask("GET", path, **options)

    async def ask(
        self, method: str, path: str, *, host: str | None = None, token: str | None = "", **options: Any
    ) -> httpx2.Response:
        """A request; ``token`` None sends none."""
        given = options.pop("headers", {})
        headers = {**self.headers(token), "Host": host or self.host, **given}
        return await self.http.request(method, path, headers=headers, **options)

    def headers(self, token: str | None = "") -> dict[str, str]:
        return {} if token is None else {"Authorization": f"Bearer {token or self.token}"}

    @asynccontextmanager
    async def socket(
        self, path: str = "/ws", *, token: str | None = "", headers: dict[str, str] | None = None, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        """A WebSocket to the agent's port."""
        async with connect(
            f"ws://{self.host}{path}",
            host="127.0.0.1",
            port=self.listening,
            additional_headers={**self.headers(token), **(headers or {})},
            compression=None,
            proxy=None,
            max_size=None,
            close_timeout=5,
            **options,
        ) as socket:
            yield socket

    async def serves(self) -> None:
        """Wait until the agent's server answers."""

        async def answered() -> bool:
            return (await self.get()).status_code == 200

        await until(answered, seconds=60)

    async def noted(self, line: str) -> None:
        """Wait for a line that the agent's server leaves."""

        async def there() -> bool:
            return self.notes.exists() and line in self.notes.read_text().splitlines()

        await until(there, seconds=60)


@asynccontextmanager
async def port_bench(settings: Settings, folder: Path) -> AsyncIterator[PortBench]:
    """A server of these settings, and an agent that serves `port_app`."""
    assert settings.token is not None
    port, silent, notes, token = unused_port(), unused_port(), folder / "notes", settings.token.get_secret_value()
    spec = {
        "runtime": "shell",
        "executor": "process",
        "command": [sys.executable, str(APP), str(port), str(notes)],
        "ports": [{"name": "web", "port": port}, {"name": "silent", "port": silent}],
    }
    async with serving(settings) as server, connect_sac(server.url, token) as sac:
        await sac.agents.create("web", spec)
        agent = await sac.agents.wait("web", timeout=120)
        async with httpx2.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http:
            bench = PortBench(sac, agent, port, silent, int(urlsplit(server.url).port or 0), token, notes, http)
            await bench.serves()
            yield bench


@pytest.fixture
async def own_ports(settings: Settings, tmp_path: Path) -> AsyncIterator[PortBench]:
    """`port_bench` of this test alone."""
    async with port_bench(settings, tmp_path) as bench:
        yield bench


@pytest.fixture(scope="module")
async def ports(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[PortBench]:
    """One that the tests of a module share, whose `anyio_backend` is then the module's, too."""
    folder = tmp_path_factory.mktemp("ports")
    token = SecretStr(secrets.token_hex(16))
    try:
        async with port_bench(Settings(data_dir=folder / "data", port=0, token=token), folder) as bench:
            yield bench
    finally:
        LiveServer(folder / "data").end()
