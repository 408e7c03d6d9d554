"""What an idle terminal with an attached viewer costs in memory: in the server, and in the holders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil

from benchmarks.bodies import Server
from benchmarks.figures import Bar, Figure
from benchmarks.websocket import TEXT

COMMAND = ("sh", "-c", "printf '$ '; exec cat")


def measure(server: Server, *, terminals: int = 1000, agents: int = 10, settle: float = 3.0) -> Iterator[Figure]:
    """Memory before and after the terminals; one terminal of each agent is there before."""
    names = [f"idle-{number}" for number in range(agents)]
    with ThreadPoolExecutor(4) as pool, ExitStack() as stack:
        for name in names:
            server.agent(name)
        _open(server, names, pool, stack)
        before = _memory(server, settle)
        _open(server, [names[number % agents] for number in range(terminals)], pool, stack)
        after = _memory(server, settle)
    grown = [(late - early) / 1024 / terminals for early, late in zip(before, after, strict=True)]
    yield _figure(f"{terminals} idle terminals, server", grown[0], 48)
    yield _figure(f"{terminals} idle terminals, holders", grown[1], 4)


def _open(server: Server, agents: list[str], pool: ThreadPoolExecutor, stack: ExitStack) -> None:
    def one(agent: str) -> None:
        socket = server.attach(server.session(agent, *COMMAND))
        stack.callback(socket.close)
        socket.send(TEXT, b'{"type":"ack","offset":0}')
        socket.receive()

    list(pool.map(one, agents))


def _memory(server: Server, settle: float) -> tuple[int, int]:
    time.sleep(settle)
    return _pss([server.process]), _pss(server.holders())


def _pss(processes: list[psutil.Process]) -> int:
    """Bytes that are these processes' own, with their share of what they share."""
    return sum(process.memory_full_info().pss for process in processes)


def _figure(name: str, each: float, bar: float) -> Figure:
    return Figure(name, each, "KiB each", each, Bar(bar, unit="KiB"))
