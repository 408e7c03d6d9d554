"""Counts what is asked of a cluster's API, below everything that asks: calls and execs, and watches by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pytest

from sac_executor_kubernetes.sdk import Answer, Sdk, WebSocket

Lines = AsyncIterator[tuple[int, AsyncIterator[bytes]]]


@dataclass
class Counted:
    """What was asked since the last look, in order: a method and a path without its query."""

    calls: list[str] = field(default_factory=list)
    watches: list[str] = field(default_factory=list)

    def taken(self) -> list[str]:
        """The calls until now, each once."""
        taken, self.calls = self.calls, []
        return taken


@contextmanager
def counted_calls() -> Iterator[Counted]:
    """Counts for as long as it is open, in this process."""
    counted = Counted()
    request, lines, websocket = Sdk.request, Sdk.lines, Sdk.websocket

    async def one(
        self: Sdk, method: str, path: str, *, body: object = None, kind: str = "application/json", timeout: float
    ) -> Answer:
        answer = await request(self, method, path, body=body, kind=kind, timeout=timeout)
        counted.calls.append(f"{method} {path.partition('?')[0]} {answer[0]}")
        return answer

    @asynccontextmanager
    async def watch(self: Sdk, path: str, *, silence: float) -> Lines:
        counted.watches.append(path)
        async with lines(self, path, silence=silence) as opened:
            yield opened

    async def connect(self: Sdk, path: str, *, timeout: float) -> WebSocket:
        counted.calls.append(f"EXEC {path.partition('?')[0]}")
        return await websocket(self, path, timeout=timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sdk, "request", one)
        patch.setattr(Sdk, "lines", watch)
        patch.setattr(Sdk, "websocket", connect)
        yield counted
