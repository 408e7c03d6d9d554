"""What many open terminals in containers cost the server: threads and memory, with holders and without."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bodies import Server
from benchmarks.docker.agents import running
from benchmarks.docker.engine import open_engine
from benchmarks.figures import Bar, Figure
from benchmarks.idle import open_terminals, pss


def measure(server: Server, *, terminals: int = 300, agents: int = 3, settle: float = 3.0) -> Iterator[Figure]:
    """Some terminals are there before, so that threads which the server keeps for all are there too."""
    with open_engine() as engine:
        for image, what in ((engine.python, "with the holder"), (engine.plain, "without")):
            names = [f"bench-many-{number}" for number in range(agents)]
            with running(server, image, names):
                yield from _figures(server, names, what, terminals, settle)


def _figures(server: Server, names: list[str], what: str, count: int, settle: float) -> Iterator[Figure]:
    few = max(count // 10, len(names))
    with open_terminals(server) as terminals:
        terminals.more(names[number % len(names)] for number in range(few))
        terminals.listen(settle)
        memory, threads = pss(server.process), server.process.num_threads()
        terminals.more(names[number % len(names)] for number in range(count))
        terminals.listen(settle)
        each, many = (pss(server.process) - memory) / 1024 / count, server.process.num_threads()
    yield Figure(f"{count} terminals, {what}, server", each, "KiB each", each, Bar(80, unit="KiB"))
    grown = many - threads
    yield Figure(
        f"{count} terminals, {what}, threads", many, "threads", grown, Bar(0, unit="more"), threads, f"of {few}"
    )
