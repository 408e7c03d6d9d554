"""Terminals in a container, through SAC and through a bare client of the engine: throughput and echo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from benchmarks.bodies import Server
from benchmarks.docker.agents import running
from benchmarks.docker.engine import docker, open_engine
from benchmarks.docker.raw_exec import ExecKeyboard, bytes_a_second, make_exec
from benchmarks.echo import COMMAND, SessionKeyboard, added_echo, in_turn, sequential, wait_ready
from benchmarks.figures import Bar, Figure, compared
from benchmarks.throughput import LINE, through_sac

_LINES = "/agent/home/lines"
_PRINT = ("sh", "-c", f"read go; exec cat {_LINES}")
_NAME = "bench-terminals"
_PEER = "raw exec"


def measure(server: Server, *, size: int = 100_000_000, keys: int = 1000, rounds: int = 5) -> Iterator[Figure]:
    """In the container of one agent, ours and the engine's own stream in turn."""
    with open_engine() as engine, running(server, engine.python, [_NAME]):
        container = engine.container(server.look(_NAME)["metadata"]["uid"])
        docker("exec", container, "sh", "-c", f"yes {LINE.decode().strip()} | head -c {size} > {_LINES}")
        yield _throughput(server, engine.socket, container, rounds)
        yield _echo(server, engine.socket, container, keys, rounds)


def _throughput(server: Server, engine: str, container: str, rounds: int) -> Figure:
    """The first round warms up."""
    ours, bare, dropped = [], [], 0
    for _ in range(rounds + 1):
        received = through_sac(server, _PRINT, agent=_NAME)
        ours.append(received.rate)
        dropped += received.gaps
        bare.append(bytes_a_second(engine, make_exec(engine, container, _PRINT)) / 1e6)
    notes = (f"{dropped} bytes were dropped because the command was quicker; they are not counted",)
    return compared("terminal throughput, container", "MB/s", ours[1:], bare[1:], peer_name=f"asyncio on a {_PEER}",
                    bar=Bar(0.7, at_least=True), notes=notes)  # fmt: skip


def _echo(server: Server, engine: str, container: str, keys: int, rounds: int) -> Figure:
    session, exec_id = server.session(_NAME, *COMMAND), make_exec(engine, container, COMMAND)
    with closing(server.attach(session)) as socket, closing(ExecKeyboard(engine, exec_id)) as bare:
        ours = SessionKeyboard(socket)
        wait_ready(ours)
        wait_ready(bare)
        pairs = in_turn(lambda keyboards: sequential(keyboards[0], keys), [ours], [bare], rounds)
    return added_echo("echo, container, p50", *pairs, bar=1.0, percent=50, peer_name=_PEER)
