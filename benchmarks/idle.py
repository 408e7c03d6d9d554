"""What an idle terminal with an attached viewer costs in memory: in the server, and in the holders."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil

from benchmarks.bodies import Server
from benchmarks.figures import Bar, Figure
from benchmarks.websocket import TEXT, WebSocket

COMMAND = ("sh", "-c", "printf '$ '; exec cat")
_AT_ONCE = 4


def measure(server: Server, *, terminals: int = 1000, agents: int = 10, settle: float = 3.0) -> Iterator[Figure]:
    """Memory before and after the terminals; one terminal of each agent is there before."""
    names = [f"idle-{number}" for number in range(agents)]
    for name in names:
        server.agent(name)
    with open_terminals(server) as opened:
        opened.more(names)
        before = _memory(server, opened, settle)
        opened.more(names[number % agents] for number in range(terminals))
        after = _memory(server, opened, settle)
    grown = [(late - early) / 1024 / terminals for early, late in zip(before, after, strict=True)]
    yield _figure(f"{terminals} idle terminals, server", grown[0], 48)
    yield _figure(f"{terminals} idle terminals, holders", grown[1], 4)


class Terminals:
    """Terminals with a viewer each. Made by `open_terminals`."""

    def __init__(self, server: Server, pool: ThreadPoolExecutor) -> None:
        self._server, self._pool = server, pool
        self.viewers: list[WebSocket] = []

    def more(self, agents: Iterable[str]) -> None:
        """Open one of each agent, a few at once."""
        opened = [self._pool.submit(self._open, agent) for agent in agents]
        while not all(future.done() for future in opened):
            self.listen(0.1)
        for future in opened:
            future.result()

    def _open(self, agent: str) -> None:
        viewer = self._server.attach(self._server.session(agent, *COMMAND))
        viewer.send(TEXT, b'{"type":"ack","offset":0}')
        self.viewers.append(viewer)

    def listen(self, seconds: float) -> None:
        """Answer pings, or the server takes the viewers for gone."""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for viewer in list(self.viewers):
                selector.register(viewer, selectors.EVENT_READ, viewer)
            while (left := end - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    key.data.receive()
                    if key.data.closed:
                        raise ConnectionError("the server closed a viewer")


@contextmanager
def open_terminals(server: Server) -> Iterator[Terminals]:
    """None yet; the viewers are closed at the end."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        terminals = Terminals(server, pool)
        try:
            yield terminals
        finally:
            for viewer in terminals.viewers:
                viewer.close()


def _memory(server: Server, terminals: Terminals, settle: float) -> tuple[int, int]:
    terminals.listen(settle)
    return pss(server.process), pss(*server.holders())


def pss(*processes: psutil.Process) -> int:
    """Bytes that are these processes' own, with their share of what they share."""
    return sum(process.memory_full_info().pss for process in processes)


def _figure(name: str, each: float, bar: float) -> Figure:
    return Figure(name, each, "KiB each", each, Bar(bar, unit="KiB"))
