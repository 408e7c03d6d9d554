"""Building images over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sac_core.client.connection import Connection
from sac_core.wire import images as wire


async def build(connection: Connection, asked: wire.BuildRequest) -> AsyncGenerator[str]:
    """The builder's lines; leaving the iteration ends the build."""
    async with connection.stream("/images", method="POST", json=asked.to_wire()) as response:
        async for text in response.aiter_lines():
            line = wire.decode(text)
            if line is not None:
                yield line
