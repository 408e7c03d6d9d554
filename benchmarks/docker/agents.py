"""Agents in containers, and what becomes of them as the server tells it: no pause between requests is measured."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.bodies import Server
from benchmarks.websocket import TEXT, connect
from sac_core.wire.events import SUBPROTOCOL

_AT_ONCE = 100


@contextmanager
def running(
    server: Server, image: str, names: Sequence[str], *, patience: float = 120.0, executor: str = "docker"
) -> Iterator[float]:
    """Agents, and the seconds until all of them run; deleted at the end, which is waited for."""
    try:
        with _events(server) as events:
            began = time.perf_counter()
            for some in _portions(names):
                for name in some:
                    server.create(name, {"executor": executor, "runtime": "shell", "image": image})
                events.wait(some, "Running", patience)
            took = time.perf_counter() - began
        yield took
    finally:
        with _events(server) as events:
            for some in _portions(names):
                for name in some:
                    server.http.delete(f"/api/v1/agents/{name}")
                events.wait(some, "absent", patience)


def _portions(names: Sequence[str]) -> list[Sequence[str]]:
    """As many as may be on their way: nobody listens to the events meanwhile, and the server does not wait for that."""
    return [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]


class Events:
    """Follows the phases of all agents."""

    def __init__(self, server: Server) -> None:
        self._phases: dict[str, str] = {}
        self._synced = False
        self._socket = connect(f"{server.url}/api/v1/events", subprotocol=SUBPROTOCOL, token=server.token)
        self._socket.send(TEXT, b'{"type": "subscribe", "kinds": ["Agent"]}')
        while not self._synced:
            self._receive()

    def wait(self, names: Sequence[str], phase: str, patience: float) -> None:
        """Until all are in a phase, or ``absent``; one that fails raises with its message."""
        deadline = time.monotonic() + patience
        while not all(self._phases.get(name, "absent") == phase for name in names):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{names[0]} and others are not {phase}")
            self._receive()

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()

    def _receive(self) -> None:
        for opcode, payload in self._socket.receive():
            if opcode == TEXT:
                self._told(json.loads(payload))
        if self._socket.closed:
            raise ConnectionError("the server closed the events")

    def _told(self, frame: dict[str, object]) -> None:
        if frame["type"] == "synced":
            self._synced = True
        agent = frame.get("object")
        if not isinstance(agent, dict):
            return
        name, status = agent["metadata"]["name"], agent["status"]
        self._phases[name] = "absent" if frame["type"] == "DELETED" else status["phase"]
        if status["phase"] == "Failed":
            raise RuntimeError(f"{name}: {status['reason']}: {status['message']}")


@contextmanager
def _events(server: Server) -> Iterator[Events]:
    events = Events(server)
    try:
        yield events
    finally:
        events.close()
