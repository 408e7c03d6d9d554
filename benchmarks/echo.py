"""What SAC adds to the time from a key to its echo, for one session and for many that are typed in at once."""

from __future__ import annotations

import heapq
import os
import random
import selectors
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Protocol

from benchmarks.bare import on_pty
from benchmarks.bodies import Server
from benchmarks.figures import Bar, Figure
from benchmarks.websocket import BINARY, WebSocket

COMMAND = ("sh", "-c", "stty raw -echo; printf ready; exec cat")
_LATE = 10.0
"""Seconds that an echo may take before the measurement fails."""


class Keyboard(Protocol):
    """A terminal that echoes: one key out, how many came back."""

    def fileno(self) -> int: ...
    def press(self) -> None: ...
    def seen(self) -> int: ...


Keys = Sequence[Keyboard]
Times = list[list[float]]
"""Of all keys in each round, in milliseconds."""


class PtyKeyboard:
    """A pty of this process."""

    def __init__(self, master: int) -> None:
        self._master = master

    def fileno(self) -> int:
        return self._master

    def press(self) -> None:
        os.write(self._master, b"k")

    def seen(self) -> int:
        return len(os.read(self._master, 4096))


class SessionKeyboard:
    """A viewer of a session."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    def fileno(self) -> int:
        return self._socket.fileno()

    def press(self) -> None:
        self._socket.send(BINARY, b"k")

    def seen(self) -> int:
        return sum(len(payload) for opcode, payload in self._socket.receive() if opcode == BINARY)


def measure(
    server: Server, *, keys: int = 2000, sessions: int = 100, agents: int = 10, seconds: float = 10, rounds: int = 3
) -> Iterator[Figure]:
    """One session, then many; bare ptys in turn with SAC's, the same loop for both."""
    names = [f"echo-{number}" for number in range(agents)]
    for name in names:
        server.agent(name)
    with ExitStack() as stack:
        bare: list[Keyboard] = [PtyKeyboard(stack.enter_context(on_pty(COMMAND))) for _ in range(sessions)]
        ours: list[Keyboard] = [_session(server, names[number % agents], stack) for number in range(sessions)]
        for keyboard in [*bare, *ours]:
            wait_ready(keyboard)
        yield _one(ours[0], bare[0], keys, rounds)
        yield from _many(ours, bare, seconds, rounds)


def _session(server: Server, agent: str, stack: ExitStack) -> SessionKeyboard:
    socket = server.attach(server.session(agent, *COMMAND))
    stack.callback(socket.close)
    return SessionKeyboard(socket)


def wait_ready(keyboard: Keyboard) -> None:
    """Until `COMMAND` echoes."""
    left = len("ready")
    while left > 0:
        left -= keyboard.seen()


def _one(ours: Keyboard, bare: Keyboard, keys: int, rounds: int) -> Figure:
    mine, other = in_turn(lambda keyboards: sequential(keyboards[0], keys), [ours], [bare], rounds)
    return added_echo("echo, one session, p50", mine, other, 0.5, 50)


def _many(ours: Keys, bare: Keys, seconds: float, rounds: int) -> Iterator[Figure]:
    mine, other = in_turn(lambda keyboards: jittered(keyboards, seconds), ours, bare, rounds)
    yield added_echo(f"echo, {len(ours)} sessions, p50", mine, other, 1.0, 50)
    yield added_echo(f"echo, {len(ours)} sessions, p99", mine, other, 5.0, 99)


def in_turn(way: Callable[[Keys], list[float]], ours: Keys, bare: Keys, rounds: int) -> tuple[Times, Times]:
    """The times of both, in turn; ours are warmed up."""
    way(ours)
    results = [(way(ours), way(bare)) for _ in range(rounds)]
    return [mine for mine, _ in results], [other for _, other in results]


def added_echo(name: str, ours: Times, bare: Times, bar: float, percent: int, *, peer_name: str = "bare pty") -> Figure:
    """The difference of percentiles over all rounds, in milliseconds."""
    differences = [
        percentile(mine, percent) - percentile(other, percent) for mine, other in zip(ours, bare, strict=True)
    ]
    mine, other = (statistics.median(percentile(keys, percent) for keys in rounds) for rounds in (ours, bare))
    return Figure(
        name, mine, "ms", statistics.median(differences), Bar(bar, unit="ms added"),
        other, peer_name, min(differences), max(differences),
    )  # fmt: skip


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest rank."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def sequential(keyboard: Keyboard, keys: int) -> list[float]:
    """Milliseconds of one key after the other."""
    took = []
    for _ in range(keys):
        start = time.perf_counter()
        keyboard.press()
        while not keyboard.seen():
            pass
        took.append((time.perf_counter() - start) * 1000)
    return took


def jittered(keyboards: Keys, seconds: float, *, rate: float = 10.0) -> list[float]:
    """Milliseconds of all keys when each keyboard is typed on ``rate`` times a second, from a random start on."""
    now = time.perf_counter()
    end = now + seconds
    due = [(now + random.random() / rate, number) for number in range(len(keyboards))]
    heapq.heapify(due)
    pressed: dict[int, float] = {}
    took: list[float] = []
    with selectors.DefaultSelector() as selector:
        for number, keyboard in enumerate(keyboards):
            selector.register(keyboard.fileno(), selectors.EVENT_READ, number)
        while due or pressed:
            _press_due(keyboards, due, pressed, rate, end)
            wait = max(0.0, due[0][0] - time.perf_counter()) if due else _LATE
            for key, _ in selector.select(wait):
                if keyboards[key.data].seen():
                    took.append((time.perf_counter() - pressed.pop(key.data)) * 1000)
            if pressed and time.perf_counter() - min(pressed.values()) > _LATE:
                raise TimeoutError(f"an echo took longer than {_LATE:g} s")
    return took


def _press_due(
    keyboards: Keys, due: list[tuple[float, int]], pressed: dict[int, float], rate: float, end: float
) -> None:
    """Press what is due; a keyboard whose echo is still out waits for it, as a key of its own would be late too."""
    now = time.perf_counter()
    while due and due[0][0] <= now:
        at, number = heapq.heappop(due)
        if number not in pressed:
            pressed[number] = time.perf_counter()
            keyboards[number].press()
        later = at + random.uniform(0.5, 1.5) / rate
        if later < end:
            heapq.heappush(due, (later, number))
