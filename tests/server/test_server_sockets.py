"""Sockets whose client leaves before they are there."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from sac_core.server.door import Door
from sac_core.server.hosts import Hosts
from sac_core.server.sockets import Socket


@pytest.mark.parametrize(("host", "asks"), [(b"127.0.0.1:8765", ["/"]), (b"evil", [])])
async def test_a_client_that_leaves_during_the_handshake_is_no_error(
    host: bytes, asks: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """uvicorn raises an OSError then, as ASGI has it."""
    asked: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await Socket(receive, send).accept("sac.events.v1")

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        raise ConnectionResetError

    here = {"path": "/", "scheme": "ws", "server": ("127.0.0.1", 8765), "headers": [(b"host", host)]}
    await Door(app, Hosts())({"type": "websocket", **here}, receive, send)
    assert asked == asks
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
