"""A process in a body: what to run, what comes out, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.names import Argv, Environment

Stream = Literal["tty", "stdout", "stderr"]
Overflow = Literal["drop", "block"]

_SIGNALLED = 128
SIGNALS = ("HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "STOP", "CONT", "TSTP", "WINCH")
"""The names that `Process.signal` takes, without SIG."""


class TtySize(Model):
    """A terminal's size in character cells."""

    cols: int = Field(default=80, ge=1, le=1000)
    rows: int = Field(default=24, ge=1, le=1000)


class Command(Model):
    """What to run. ``tty`` makes it a terminal.

    ``overflow`` says what happens when nobody reads: ``drop`` never lets the process wait (the oldest output goes),
    ``block`` loses nothing (the process waits). ``stdin`` False is an empty input.
    """

    argv: Argv
    env: Environment = Field(default_factory=dict, repr=False)
    cwd: str | None = None
    tty: TtySize | None = None
    stdin: bool = True
    overflow: Overflow = "drop"


class Chunk(NamedTuple):
    """Output bytes. ``offset`` counts from the process's first byte of output, over all streams."""

    stream: Stream
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: a code, or a signal's name (``KILL``), or neither when it was lost.

    ``reason`` is empty for an ordinary end, else a word such as ``Lost``, ``Deleted``, ``NotFound``.
    """

    code: int | None = None
    signal: str | None = None
    reason: str = ""

    @classmethod
    def from_status(cls, status: int) -> Exit:
        """From what shells and engines of containers say: above 128 it is a signal, if there is one of that number."""
        import signal as signals

        try:
            return cls(signal=signals.Signals(status - _SIGNALLED).name.removeprefix("SIG"))
        except ValueError:
            return cls(code=status)

    @property
    def status(self) -> int:
        """The shell's convention: the code, 128 plus the signal's number, 255 when unknown."""
        if self.code is not None:
            return self.code
        if self.signal is None:
            return 255
        import signal as signals

        return _SIGNALLED + int(getattr(signals, f"SIG{self.signal}", 127))
