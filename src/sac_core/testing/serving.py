"""A server in the test's own event loop, on a real port (needs the distribution's extra ``server``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from sac_core.contracts.background import background
from sac_core.server.announce import ServerInfo
from sac_core.server.local import serve_here
from sac_core.settings import Settings

_PATIENCE = 30.0


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[ServerInfo]:
    """Serve until the context is left; what the server says of itself when it is there."""
    infos: list[ServerInfo] = []
    up = anyio.Event()

    def tell(info: ServerInfo) -> None:
        infos.append(info)
        up.set()

    async with background() as tasks:
        tasks.start_soon(serve_here, settings, tell)
        with anyio.fail_after(_PATIENCE):
            await up.wait()
        yield infos[0]
