"""From the request for an agent to Running, beside `docker run -d` of the same image; alone, and twenty at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

from benchmarks.bodies import Server
from benchmarks.docker.agents import running
from benchmarks.docker.engine import Engine, open_engine
from benchmarks.figures import Bar, Figure, compared

_ALONE = ("an agent of the same tenant runs all the time: a first one would make the tenant's network as well",)
_NUMBERS = count(1)

Pairs = list[tuple[float, float]]


def measure(server: Server, *, rounds: int = 15, together: int = 20, batches: int = 4) -> Iterator[Figure]:
    """Ours and `docker run -d` in turn; what was made is removed outside of the measured time."""
    with open_engine() as engine, running(server, engine.python, ["bench-stays"]):
        held = _in_turn(server, engine, engine.python, 1, rounds)
        yield _figure("create to Running, with the holder", held, 1.5, _ALONE)
        yield _figure("create to Running, without", _in_turn(server, engine, engine.plain, 1, rounds), 1.2, _ALONE)
        yield _figure(f"{together} at once to Running", _in_turn(server, engine, engine.python, together, batches), 1.5)


def _figure(name: str, pairs: Pairs, bar: float, notes: tuple[str, ...] = ()) -> Figure:
    ours, peer = zip(*pairs, strict=True)
    return compared(name, "s", ours, peer, peer_name="docker run -d", bar=Bar(bar), notes=notes)


def _in_turn(server: Server, engine: Engine, image: str, number: int, rounds: int) -> Pairs:
    """Seconds of so many of ours and of the peer's, until the last one runs; the first round warms up."""
    return [(_agents(server, image, number), _containers(engine, image, number)) for _ in range(rounds + 1)][1:]


def _agents(server: Server, image: str, number: int) -> float:
    with running(server, image, [f"bench-{next(_NUMBERS)}" for _ in range(number)]) as took:
        return took


def _containers(engine: Engine, image: str, number: int) -> float:
    began = time.perf_counter()
    commands = [engine.run(image) for _ in range(number)]
    for command in commands:
        _, complaint = command.communicate(timeout=120)
        if command.returncode != 0:
            raise RuntimeError(f"docker run: {complaint.decode()}")
    took = time.perf_counter() - began
    engine.clear()
    return took
