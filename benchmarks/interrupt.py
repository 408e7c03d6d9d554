"""How long Ctrl-C takes while a command prints without end, until the shell's prompt is seen."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.bare import on_pty
from benchmarks.bodies import Server
from benchmarks.figures import Bar, Figure, added
from benchmarks.throughput import ACK_EVERY
from benchmarks.websocket import BINARY, TEXT, WebSocket

PROMPT = b"<prompt>"
COMMAND = ("env", "PS1=<prompt>", "bash", "--norc", "--noprofile")
Read = Callable[[], bytes]
Write = Callable[[bytes], object]


class Viewer:
    """A viewer that acknowledges all it sees."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._offset = self._acked = 0
        socket.send(TEXT, b'{"type":"ack","offset":0}')

    def write(self, data: bytes) -> None:
        self._socket.send(BINARY, data)

    def read(self) -> bytes:
        found = b"".join(map(self._output, self._socket.receive()))
        if self._offset - self._acked >= ACK_EVERY:
            self._socket.send(TEXT, b'{"type":"ack","offset":%d}' % self._offset)
            self._acked = self._offset
        return found

    def _output(self, message: tuple[int, bytes]) -> bytes:
        opcode, payload = message
        if opcode == BINARY:
            self._offset += len(payload)
            return payload
        frame = json.loads(payload)
        if frame["type"] == "gap":
            self._offset = frame["to"]
        return b""


ROUNDS = (1.0, 1.0, 1.0, 1.0, 60.0)
"""Seconds of printing in each round; the last is long, for what grows with time."""


def measure(server: Server, *, rounds: Sequence[float] = ROUNDS) -> Iterator[Figure]:
    """The same shell in a session and on a bare pty, in turn; on the pty never longer than a second."""
    server.agent("interrupt")
    pairs = [(_in_session(server, seconds), _on_pty(min(seconds, 1.0))) for seconds in rounds]
    ours, bare = zip(*pairs, strict=True)
    figure = added("Ctrl-C under `yes`", "s", ours, bare, peer_name="bare pty", bar=None)
    yield Figure(figure.name, figure.ours, "s", max(ours), Bar(0.5, unit="s"), figure.peer, figure.peer_name,
                 min(ours), max(ours), ("compared is the slowest round; the last prints for a minute",))  # fmt: skip


def _in_session(server: Server, seconds: float) -> float:
    session = server.session("interrupt", *COMMAND)
    socket = server.attach(session)
    viewer = Viewer(socket)
    took = interrupted(viewer.read, viewer.write, seconds)
    socket.close()
    server.end(session)
    return took


def _on_pty(seconds: float) -> float:
    with on_pty(COMMAND) as master:
        return interrupted(lambda: os.read(master, 65536), lambda data: os.write(master, data), seconds)


def interrupted(read: Read, write: Write, seconds: float) -> float:
    """Seconds from Ctrl-C to the prompt, after so many of `yes`."""
    _wait_prompt(read)
    write(b"yes\n")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        read()
    start = time.perf_counter()
    write(b"\x03")
    _wait_prompt(read)
    return time.perf_counter() - start


def _wait_prompt(read: Read) -> None:
    seen = b""
    while PROMPT not in seen:
        seen = seen[-len(PROMPT) :] + read()
