"""Bytes a second of a command that prints, through SAC, through terminado, and from the pty itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare import on_pty
from benchmarks.bodies import Server
from benchmarks.figures import Bar, Figure, compared
from benchmarks.websocket import BINARY, TEXT, WebSocket, connect

LINE = b"x" * 100 + b"\n"
ACK_EVERY = 128 * 1024
_MEGA = 1e6


@dataclass(slots=True)
class Received:
    """What a client got, and what it was told is missing."""

    count: int = 0
    gaps: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return self.count / self.seconds / _MEGA


def measure(server: Server, *, size: int = 200_000_000, rounds: int = 5) -> Iterator[Figure]:
    """Three ways in turn, several times; the first round warms up."""
    lines = server.folder / "lines"
    lines.write_bytes(LINE * (size // len(LINE)))
    command = ("sh", "-c", f"read go; exec cat {lines}")
    server.agent("throughput")
    with _terminado(command) as url:
        ways: list[Callable[[], Received]] = [
            lambda: through_sac(server, command),
            lambda: from_pty(command),
            lambda: through_terminado(url),
        ]
        results = [[way() for way in ways] for _ in range(rounds + 1)][1:]
    yield from _figures(results)


def _figures(results: list[list[Received]]) -> Iterator[Figure]:
    ours, bare, peer = zip(*results, strict=True)
    missing = sum(result.gaps for result in ours) / sum(result.gaps + result.count for result in ours)
    notes = (f"{missing:.2%} of the output was dropped because the command was quicker; it is not counted",)
    rates = [result.rate for result in ours]
    yield compared("terminal throughput", "MB/s", rates, [result.rate for result in bare],
                   peer_name="the pty itself", bar=Bar(0.8, at_least=True), notes=notes)  # fmt: skip
    yield compared("terminal throughput", "MB/s", rates, [result.rate for result in peer],
                   peer_name="terminado", bar=Bar(1.2, at_least=True))  # fmt: skip


def through_sac(
    server: Server, command: tuple[str, ...], *, agent: str = "throughput", recording: str = "off"
) -> Received:
    """Holder, server, WebSocket, a client that acknowledges."""
    session = server.session(agent, *command, recording=recording)
    socket = server.attach(session)
    socket.send(TEXT, b'{"type":"ack","offset":0}')
    socket.send(BINARY, b"\n")
    result = _timed(lambda result: _read_sac(socket, result))
    socket.close()
    server.end(session)
    return result


def _read_sac(socket: WebSocket, result: Received) -> None:
    offset = acked = 0
    while not socket.closed:
        for opcode, payload in socket.receive():
            if opcode == BINARY:
                offset += len(payload)
                result.count += len(payload)
            else:
                frame = json.loads(payload)
                if frame["type"] == "gap":
                    result.gaps += frame["to"] - frame["from"]
                    offset = frame["to"]
                elif frame["type"] == "exit":
                    return
        if offset - acked >= ACK_EVERY:
            socket.send(TEXT, b'{"type":"ack","offset":%d}' % offset)
            acked = offset


def through_terminado(url: str) -> Received:
    """The same client, its JSON messages."""
    socket = connect(url)
    socket.send(TEXT, json.dumps(["stdin", "\n"]).encode())
    result = _timed(lambda result: _read_terminado(socket, result))
    socket.close()
    return result


def _read_terminado(socket: WebSocket, result: Received) -> None:
    while not socket.closed:
        for _, payload in socket.receive():
            kind, *rest = json.loads(payload)
            if kind == "stdout":
                result.count += len(rest[0])
            elif kind == "disconnect":
                return


def from_pty(command: tuple[str, ...]) -> Received:
    """Read here, as quickly as Python does."""
    with on_pty(command) as master:
        os.write(master, b"\n")
        return _timed(lambda result: _read_pty(master, result))


def _read_pty(master: int, result: Received) -> None:
    try:
        while data := os.read(master, 65536):
            result.count += len(data)
    except OSError:  # the command has ended
        return


def _timed(work: Callable[[Received], None]) -> Received:
    result = Received()
    start = time.perf_counter()
    work(result)
    result.seconds = time.perf_counter() - start
    return result


@contextmanager
def _terminado(command: tuple[str, ...]) -> Iterator[str]:
    program = Path(__file__).with_name("terminado_server.py")
    process = subprocess.Popen([sys.executable, program, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/ws"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
