"""`python -m benchmarks [NAME...] [--tiny]`: measure, print the table, write results/latest.json."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from benchmarks import databases, echo, idle, interrupt, recording, requests, startup, throughput
from benchmarks.bodies import Server, running_server
from benchmarks.docker import many, reconciling, starts, terminals
from benchmarks.figures import Figure, Missing, save, table
from benchmarks.kubernetes import held as kubernetes_held
from benchmarks.kubernetes import starts as kubernetes_starts
from benchmarks.kubernetes import terminals as kubernetes_terminals

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
    "docker-starts": starts.measure,
    "docker-terminals": terminals.measure,
    "docker-many": many.measure,
    "docker-idle": reconciling.measure,
    "kubernetes-starts": lambda server: kubernetes_starts.measure(),
    "kubernetes-echo": lambda server: kubernetes_terminals.measure(),
    "kubernetes-scale": lambda server: kubernetes_held.measure(),
}
GROUPS: Mapping[str, list[str]] = {
    group: [name for name in BENCHMARKS if name.startswith(f"{group}-")] for group in ("docker", "kubernetes")
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
    "docker-starts": partial(starts.measure, rounds=1, together=2, batches=1),
    "docker-terminals": partial(terminals.measure, size=1_000_000, keys=10, rounds=1),
    "docker-many": partial(many.measure, terminals=10, agents=1, settle=0.1),
    "docker-idle": partial(reconciling.measure, containers=2, settle=0, seconds=1.0),
    "kubernetes-starts": lambda server: kubernetes_starts.measure(rounds=1, together=2, batches=1),
    "kubernetes-echo": lambda server: kubernetes_terminals.measure(keys=10, rounds=1),
    "kubernetes-scale": lambda server: kubernetes_held.measure(agents=10, settle=0, seconds=1.0),
}


def main(words: list[str] | None = None) -> int:
    """Each benchmark on a server of its own, so that none inherits another's memory."""
    asked = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that servers and agents are ended
    figures: list[Figure] = []
    missing = 0
    for name in [each for word in asked.names or BENCHMARKS for each in GROUPS.get(word, [word])]:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            with running_server() as server:
                figures += (TINY if asked.tiny else BENCHMARKS)[name](server)
        except Missing as error:
            print(f"{name} is left out: {error}", file=sys.stderr, flush=True)
            missing += 1
    print(table(figures))
    if not asked.tiny:
        save(figures)
    return 1 if missing and asked.names else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=", ".join([*BENCHMARKS, *GROUPS]))
    parser.add_argument("--tiny", action="store_true", help="only show that each works; the figures mean nothing")
    return parser


def _known(name: str) -> str:
    known = [*BENCHMARKS, *GROUPS]
    if name not in known:
        raise argparse.ArgumentTypeError(f"there is no benchmark {name!r}; known: {', '.join(known)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
