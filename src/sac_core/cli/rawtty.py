"""The user's terminal: its size, and raw mode that is left on every way out."""

from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sac_core.cli.streams import STDIN, STDOUT
from sac_core.models.process import TtySize


def size() -> TtySize:
    """The size of the terminal; 80 by 24 where it does not tell."""
    for fd in (STDOUT, STDIN):
        try:
            cols, rows = os.get_terminal_size(fd)
        except OSError:
            continue
        if cols and rows:
            return TtySize(cols=min(cols, 1000), rows=min(rows, 1000))
    return TtySize()


def is_terminal() -> bool:
    """Whether the user sits in front: both input and output are a terminal."""
    return os.isatty(STDIN) and os.isatty(STDOUT)


@contextmanager
def raw() -> Iterator[None]:
    """Every key goes to us as it is typed; afterwards the terminal is as it was."""
    before = termios.tcgetattr(STDIN)
    tty.setraw(STDIN, termios.TCSANOW)
    try:
        yield
    finally:
        with suppress(termios.error):  # a terminal that hung up
            termios.tcsetattr(STDIN, termios.TCSANOW, before)
