"""What recording costs a terminal: bytes a second of a command that prints, and by second of processor time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks.bodies import Server, wait_for
from benchmarks.figures import Bar, Figure, compared
from benchmarks.throughput import LINE, through_sac

_AGENT = "recording"


@dataclass(frozen=True, slots=True)
class Flood:
    """``rate`` in MB/s, ``thrift`` in MB for each second of processor time of all that had a part in it."""

    rate: float
    thrift: float


def measure(server: Server, *, size: int = 200_000_000, rounds: int = 7) -> Iterator[Figure]:
    """Recorded and not in turn, several times; the first round warms up."""
    lines = server.folder / "recorded-lines"
    lines.write_bytes(LINE * (size // len(LINE)))
    command = ("sh", "-c", f"read go; exec cat {lines}")
    server.agent(_AGENT)
    pairs = [(_flood(server, command, "best_effort"), _flood(server, command, "off")) for _ in range(rounds + 1)][1:]
    kept = [_kept(recording) for recording in server.recordings()][-rounds:]
    note = f"{min(kept):.0%} to {max(kept):.0%} of the flood were recorded, the rest is marked"
    ours, plain = zip(*pairs, strict=True)
    yield compared("recorded throughput", "MB/s", [flood.rate for flood in ours], [flood.rate for flood in plain],
                   peer_name="not recorded", bar=Bar(0.9, at_least=True), notes=(note,))  # fmt: skip
    yield compared("recorded, by processor time", "MB/s", [flood.thrift for flood in ours],
                   [flood.thrift for flood in plain], peer_name="not recorded", bar=None)  # fmt: skip


def _flood(server: Server, command: tuple[str, ...], policy: str) -> Flood:
    """Ends when its recording has: what is left to be kept must not slow the round that follows."""
    before = _spent(server)
    result = through_sac(server, command, agent=_AGENT, recording=policy)
    spent = _spent(server) - before
    wait_for(lambda: all(each["status"]["phase"] != "Recording" for each in server.recordings()), "no recording ends")
    return Flood(result.rate, result.rate * result.seconds / spent)


def _spent(server: Server) -> float:
    """Seconds of processor time of the server, the holders with what ran in them, and this client."""
    times = [process.cpu_times() for process in (server.process, *server.holders(), psutil.Process())]
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)


def _kept(recording: dict[str, Any]) -> float:
    status = recording["status"]
    return 1 - float(status["missed"]) / float(status["bytes"])
