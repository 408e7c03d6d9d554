"""What an idle terminal with an attached viewer costs in memory: in the server, and in the holders."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil

from benchmarks.bodies import Server
from benchmarks.figures import Bar, Figure
from benchmarks.websocket import TEXT, WebSocket

COMMAND = ("sh", "-c", "printf '$ '; exec cat")


def measure(server: Server, *, terminals: int = 1000, agents: int = 10, settle: float = 3.0) -> Iterator[Figure]:
    """Memory before and after the terminals; one terminal of each agent is there before."""
    names = [f"idle-{number}" for number in range(agents)]
    viewers: list[WebSocket] = []
    with ThreadPoolExecutor(4) as pool:
        for name in names:
            server.agent(name)
        _open(server, names, pool, viewers)
        before = _memory(server, viewers, settle)
        _open(server, [names[number % agents] for number in range(terminals)], pool, viewers)
        after = _memory(server, viewers, settle)
    for viewer in viewers:
        viewer.close()
    grown = [(late - early) / 1024 / terminals for early, late in zip(before, after, strict=True)]
    yield _figure(f"{terminals} idle terminals, server", grown[0], 48)
    yield _figure(f"{terminals} idle terminals, holders", grown[1], 4)


def _open(server: Server, agents: list[str], pool: ThreadPoolExecutor, viewers: list[WebSocket]) -> None:
    def one(agent: str) -> None:
        viewer = server.attach(server.session(agent, *COMMAND))
        viewer.send(TEXT, b'{"type":"ack","offset":0}')
        viewers.append(viewer)

    opened = [pool.submit(one, agent) for agent in agents]
    while not all(future.done() for future in opened):
        _listen(viewers, 0.1)
    for future in opened:
        future.result()


def _listen(viewers: list[WebSocket], seconds: float) -> None:
    """Answer pings, or the server takes the viewers for gone."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for viewer in list(viewers):
            selector.register(viewer, selectors.EVENT_READ, viewer)
        while (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                key.data.receive()
                if key.data.closed:
                    raise ConnectionError("the server closed a viewer")


def _memory(server: Server, viewers: list[WebSocket], settle: float) -> tuple[int, int]:
    _listen(viewers, settle)
    return _pss([server.process]), _pss(server.holders())


def _pss(processes: list[psutil.Process]) -> int:
    """Bytes that are these processes' own, with their share of what they share."""
    return sum(process.memory_full_info().pss for process in processes)


def _figure(name: str, each: float, bar: float) -> Figure:
    return Figure(name, each, "KiB each", each, Bar(bar, unit="KiB"))
