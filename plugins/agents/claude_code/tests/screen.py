"""What a terminal shows, as an emulator draws it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pyte


class Screen(pyte.Screen):
    """pyte's screen, which takes a setting of the keyboard (``CSI > 4 ; 2 m``) for colours."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)


class Shown:
    """A program in a terminal of this machine."""

    def __init__(self, program: subprocess.Popen[bytes], master: int) -> None:
        self.program = program
        self._master = master
        self._screen = Screen(100, 30)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display if line.strip())

    async def until(self, words: str, within: float = 30) -> None:
        """Wait until they are to be seen."""
        with anyio.move_on_after(within):
            while words not in self.text:
                await anyio.wait_readable(self._master)
                try:
                    self._stream.feed(os.read(self._master, 65536))
                except OSError:
                    break
        assert words in self.text, f"{words!r} never came:\n{self.text}"

    async def type(self, text: str) -> None:
        os.write(self._master, text.encode())


@contextmanager
def shown(*argv: str) -> Iterator[Shown]:
    """Run a program in a terminal, until the context is left."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (30, 100))
    env = {**os.environ, "TERM": "xterm-256color"}
    program = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)
    os.close(slave)
    try:
        yield Shown(program, master)
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGHUP)
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait(10)
        os.close(master)
