"""A scripted server, for what a real one never does: break off, redirect, answer nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

KINDS = {
    "items": [
        {
            "kind": "Agent",
            "plural": "agents",
            "singular": "agent",
            "columns": [{"title": "NAME", "path": "metadata.name"}],
            "verbs": ["list", "get"],
        },
        {"kind": "Widget", "plural": "widgets", "singular": "widget"},
    ]
}


async def kinds(request: Any) -> JSONResponse:
    return JSONResponse(KINDS)


@asynccontextmanager
async def serve(routes: Sequence[BaseRoute], *, uds: Path | None = None) -> AsyncIterator[str]:
    """Serve ``routes`` and ``/api/v1/kinds``; yields the URL."""
    app = Starlette(routes=[*routes, Route("/api/v1/kinds", kinds)])
    options: dict[str, Any] = {"uds": str(uds)} if uds else {"port": 0}
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, **options))
    serving = asyncio.create_task(server.serve())
    try:
        with anyio.fail_after(10):
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
                await anyio.sleep(0.01)
        port = "" if uds else f":{server.servers[0].sockets[0].getsockname()[1]}"
        yield f"http://127.0.0.1{port}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def serving() -> Callable[..., AbstractAsyncContextManager[str]]:
    """`serve`, for tests."""
    return serve
