"""A thousand agents on a cluster, of whom nobody wants anything: processor time and memory of the server.

The cluster is a stand-in for its API: so many pods fit on none that a benchmark has.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import psutil

from benchmarks.bodies import Server, running_server, wait_for
from benchmarks.docker.agents import running
from benchmarks.figures import Bar, Figure, Missing
from benchmarks.idle import pss

_FEW = 10
_NOTES = ("the growth from ten agents to all of them; a link to each holder is open, through an exec of its own",)


def measure(*, agents: int = 1000, settle: float = 90.0, seconds: float = 180.0) -> Iterator[Figure]:
    """Over some comparisons of what is declared with what runs, each of which takes place every 30 s."""
    few = [f"bench-few-{number}" for number in range(min(_FEW, agents // 2))]
    many = [f"bench-many-{number}" for number in range(agents - len(few))]
    with _server() as server, running(server, "none", few, executor="kubernetes"):
        time.sleep(min(settle, 5.0))
        before = pss(server.process)
        with running(server, "none", many, executor="kubernetes", patience=1800):
            time.sleep(settle)
            share = _share(server.process, seconds)
            whole = pss(server.process)
    grown = (whole - before) / (1 << 20)
    yield Figure(f"{agents} agents held, processor", share, "% of a core", share, Bar(3, unit="%"))
    yield Figure(f"{agents} agents held, memory", whole / (1 << 20), "MiB", grown, Bar(100, unit="MiB"), notes=_NOTES)


@contextmanager
def _server() -> Iterator[Server]:
    """SAC with the stand-in as its cluster."""
    if not entry_points(group="sac", name="kubernetes"):
        raise Missing("sac-executor-kubernetes is not installed: make bench installs it")
    if find_spec("trustme") is None:
        raise Missing("trustme is not installed: make bench installs it")
    with tempfile.TemporaryDirectory(prefix="sac-bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.kubernetes.pretend", folder]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        kubeconfig = Path(folder) / "kubeconfig"
        try:
            wait_for(kubeconfig.exists, "the stand-in does not start")
            about = {"kubernetes": {"kubeconfig": str(kubeconfig)}}
            with running_server(SAC_PLUGINS=json.dumps(about)) as server:
                yield server
        finally:
            process.terminate()
            process.wait(30)


def _share(process: psutil.Process, seconds: float) -> float:
    """Percent of one core that a process takes."""
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return 100 * used / (time.monotonic() - began)
