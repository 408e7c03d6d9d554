"""`python -m benchmarks [NAME...] [--tiny]`: measure, print the table, write results/latest.json."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from benchmarks import databases, echo, idle, interrupt, recording, requests, startup, throughput
from benchmarks.bodies import Server, running_server
from benchmarks.figures import Figure, save, table

Measure = Callable[[Server], Iterator[Figure]]

BENCHMARKS: Mapping[str, Measure] = {
    "startup": lambda server: startup.measure(),
    "requests": requests.measure_both,
    "databases": lambda server: databases.measure(),
    "throughput": throughput.measure,
    "recording": recording.measure,
    "echo": echo.measure,
    "interrupt": interrupt.measure,
    "idle": idle.measure,
}
TINY: Mapping[str, Measure] = {
    "startup": lambda server: startup.measure(rounds=1),
    "requests": partial(requests.measure_both, seconds=0.2, rounds=1),
    "databases": lambda server: databases.measure(agents=200, started=5, seconds=2, rounds=1),
    "throughput": partial(throughput.measure, size=1_000_000, rounds=1),
    "recording": partial(recording.measure, size=1_000_000, rounds=1),
    "echo": partial(echo.measure, keys=10, sessions=4, agents=2, seconds=0.3, rounds=1),
    "interrupt": partial(interrupt.measure, rounds=(0.1,)),
    "idle": partial(idle.measure, terminals=4, agents=2, settle=0.1),
}


def main(words: list[str] | None = None) -> int:
    """Each benchmark on a server of its own, so that none inherits another's memory."""
    asked = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that servers and agents are ended
    figures: list[Figure] = []
    for name in asked.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        with running_server() as server:
            figures += (TINY if asked.tiny else BENCHMARKS)[name](server)
    print(table(figures))
    if not asked.tiny:
        save(figures)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--tiny", action="store_true", help="only show that each works; the figures mean nothing")
    return parser


def _known(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark {name!r}; known: {', '.join(BENCHMARKS)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
