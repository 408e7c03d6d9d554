"""The processor time of a server whose agents all run in containers, and nobody does anything."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from benchmarks.bodies import Server
from benchmarks.docker.agents import running
from benchmarks.docker.engine import open_engine
from benchmarks.figures import Bar, Figure


def measure(server: Server, *, containers: int = 500, settle: float = 60.0, seconds: float = 150.0) -> Iterator[Figure]:
    """Over some comparisons of what is declared with what runs, each of which takes place every 30 s."""
    names = [f"bench-idle-{number}" for number in range(containers)]
    with open_engine() as engine, running(server, engine.python, names, patience=1800):
        time.sleep(settle)
        share = _share(server.process, seconds)
    yield Figure(f"{containers} idle containers", share, "% of a core", share, Bar(2, unit="%"))


def _share(process: psutil.Process, seconds: float) -> float:
    """Percent of one core that a process takes."""
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return 100 * used / (time.monotonic() - began)
