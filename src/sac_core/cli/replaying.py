"""Playing asciicast in the user's own terminal, which is given back as it was."""

from __future__ import annotations

import json
import os
import termios
import tty
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import anyio

from sac_core.cli.emulation import History, Modes
from sac_core.cli.streams import STDIN, STDOUT, write
from sac_core.errors import LostError

_ALL = 2**63


class Pace:
    """When an event is due: the recording's time, quicker or slower, with pauses cut short."""

    def __init__(
        self, speed: float, idle_limit: float | None, *, now: Callable[[], float] = anyio.current_time
    ) -> None:
        self._speed = speed
        self._limit = float("inf") if idle_limit is None else idle_limit
        self._now = now
        self._last = 0.0
        self._due = now()

    def wait(self, at: float) -> float:
        """Seconds to wait before the event at ``at`` seconds of the recording."""
        pause = min(max(0.0, at - self._last), self._limit)
        self._last = max(self._last, at)
        self._due += pause / self._speed
        return max(0.0, self._due - self._now())


async def lines(cast: AsyncIterator[bytes]) -> AsyncGenerator[Any]:
    """The events of a cast; its header is checked and left out. Raises `LostError` when it is none."""
    rest, first = b"", True
    async for piece in cast:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            event = _parsed(line)
            if first:
                first = False
                if not isinstance(event, dict) or event.get("version") != 2:
                    raise LostError("the server sent something else than asciicast v2")
            else:
                yield event


async def play(cast: AsyncIterator[bytes], *, speed: float, idle_limit: float | None) -> None:
    """Play a cast to its end."""
    modes, pace, past = Modes(), Pace(speed, idle_limit), History(_ALL)
    with quiet(modes):
        async with aclosing(lines(cast)) as events:
            async for at, code, data in events:
                await anyio.sleep(pace.wait(at))
                if code == "o":
                    shown = past.pass_on(0, data.encode("utf-8", errors="replace"))
                    modes.see(shown)
                    await write(STDOUT, shown)


@contextmanager
def quiet(modes: Modes) -> Iterator[None]:
    """Keys are not echoed, and forgotten; Ctrl-C still ends us. Afterwards the terminal is as it was."""
    if not os.isatty(STDIN):
        yield
        return
    before = termios.tcgetattr(STDIN)
    tty.setcbreak(STDIN, termios.TCSANOW)
    try:
        yield
    finally:
        os.write(STDOUT, modes.undo())
        termios.tcflush(STDIN, termios.TCIFLUSH)
        termios.tcsetattr(STDIN, termios.TCSANOW, before)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise LostError("the server sent something else than asciicast v2") from None
