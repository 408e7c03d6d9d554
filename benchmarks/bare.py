"""The bare parts: a command on a pty that this process reads itself."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def on_pty(command: Sequence[str], *, raw: bool = False) -> Iterator[int]:
    """The master of a terminal in which a command runs, 80 by 24 as sessions are; killed and reaped at the end."""
    master, slave = os.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    if raw:
        tty.setraw(slave)
    pid = os.fork()
    if not pid:
        _become(command, slave)
    os.close(slave)
    try:
        yield master
    finally:
        os.close(master)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _become(command: Sequence[str], slave: int) -> None:
    """In the fork; never returns."""
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for target in range(3):
            os.dup2(slave, target)
        os.closerange(3, 256)
        os.execvp(command[0], list(command))
    finally:
        os._exit(127)
