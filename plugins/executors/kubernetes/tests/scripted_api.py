"""A stand-in for a cluster's API: it says what a test tells it to, which a real one would not do on demand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import SocketStream

from sac_executor_kubernetes.kubeconfig import Access


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. Events are sent one by one; ``cut`` ends the connection in the middle of the last."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    events: tuple[dict[str, Any], ...] | None = None
    cut: bool = False
    held: bool = False
    """The connection stays open after the events, and nothing more is said."""


Answer = Callable[[str, dict[str, str]], Said]
"""From a path and its query."""


@dataclass
class ScriptedApi:
    """What was asked, and where it is."""

    access: Access
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def count(self, *, watch: bool) -> int:
        """How many lists, or watches, were asked for."""
        return sum(("watch" in query) == watch for _, query in self.asked)


@asynccontextmanager
async def scripted_api(answer: Answer) -> AsyncIterator[ScriptedApi]:
    """An API server that answers so."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    api = ScriptedApi(Access(server=f"http://127.0.0.1:{port}", namespace="test"))

    async def serve(stream: SocketStream) -> None:
        async with stream:
            try:
                while await _answered(stream, api, answer):
                    pass
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield api
        tasks.cancel_scope.cancel()


async def _answered(stream: SocketStream, api: ScriptedApi, answer: Answer) -> bool:
    """One request; False when the connection is over."""
    head = b""
    while b"\r\n\r\n" not in head:
        try:
            head += await stream.receive()
        except anyio.EndOfStream:
            return False
    parts = urlsplit(head.split(b" ", 2)[1].decode())
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    api.asked.append((parts.path, query))
    said = answer(parts.path, query)
    await stream.send(_bytes(said))
    if said.held:
        await anyio.sleep_forever()
    return said.events is None


def _bytes(said: Said) -> bytes:
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in said.events or ())
    data = json.dumps(said.body).encode() if said.events is None else lines
    headers = {**said.headers, "Content-Type": "application/json"}
    if said.events is None:
        headers["Content-Length"] = str(len(data))
    else:
        headers["Connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {said.status} Said\r\n{head}\r\n".encode() + (data[:-10] if said.cut else data)
