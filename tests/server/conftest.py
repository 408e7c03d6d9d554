from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from sac_core.server.app import create_app
from sac_core.server.listeners import listen_tcp
from sac_core.server.local import Server
from sac_core.settings import Settings
from server_fakes import TOKEN, FakeCore, agent, session
from server_wire import Running

Serve = Callable[..., AbstractAsyncContextManager[Running]]


@asynccontextmanager
async def serving(core: FakeCore, app: Starlette | None = None) -> AsyncIterator[Running]:
    """The app on a real port, served by the server of local mode."""
    listener = listen_tcp(Settings(data_dir=core.settings.data_dir, port=0))
    port = listener.getsockname()[1]
    ready = anyio.Event()
    server = Server(app or create_app(core.real), ready.set)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listener])
        with anyio.fail_after(10):
            await ready.wait()
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            yield Running(core, port, server, http)
        server.should_exit = True


@pytest.fixture
def core(tmp_path: Path) -> FakeCore:
    made = FakeCore(tmp_path)
    made.world.put("default", "ADDED", agent())
    made.world.put("default", "ADDED", session())
    return made


@pytest.fixture
async def sac(core: FakeCore) -> AsyncIterator[Running]:
    async with serving(core) as running:
        yield running


@pytest.fixture
def serve_app() -> Any:
    return serving
