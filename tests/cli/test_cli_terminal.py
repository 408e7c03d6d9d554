"""`sac attach` and `sac run` in a real terminal: keys typed into a pty, and what a terminal shows of the answer."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import ioctl
from typing import TYPE_CHECKING

import pyte
import pytest

if TYPE_CHECKING:
    from cli.conftest import Sac

DETACH = b"\x1dd"
NOTICE = re.compile(rb"\r\n\x1b\[0;7m\[sac: [^\]]*\]\x1b\[0m\r\n")


class Screen:
    """A terminal with a program in it."""

    def __init__(self, fd: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.raw = b""
        self._fd = fd
        self._screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def modes(self) -> list[int]:
        """Terminal settings that raw mode changes."""
        return list(termios.tcgetattr(self._fd)[:4])

    def type(self, data: bytes) -> None:
        os.write(self._fd, data)

    def resize(self, cols: int, rows: int) -> None:
        set_size(self._fd, cols, rows)
        self._screen.resize(rows, cols)
        self.process.send_signal(signal.SIGWINCH)  # as the kernel does for a controlling terminal

    def until(self, done: Callable[[], bool], *, seconds: float = 20) -> None:
        """Read until a condition holds; shows the screen when it does not."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"the screen is:\n{self.text}"
            self._read()

    def shows(self, text: str, *, seconds: float = 20) -> None:
        self.until(lambda: text in self.text, seconds=seconds)

    def ends(self) -> int:
        """The exit status; what is left on the screen is read."""
        self.until(lambda: self.process.poll() is not None)
        self._read()
        return self.process.wait()

    def hang_up(self) -> None:
        """Close the terminal, as a window manager does."""
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, self._fd)
        os.close(null)

    def _read(self) -> None:
        if select.select([self._fd], [], [], 0.05)[0]:
            data = os.read(self._fd, 65536)
            self.raw += data
            self._stream.feed(data)


def set_size(fd: int, cols: int, rows: int) -> None:
    ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


@contextmanager
def terminal(sac: Sac, *args: str) -> Iterator[Screen]:
    """Run a command in a terminal of 100 by 30."""
    ours, theirs = pty.openpty()
    set_size(theirs, 100, 30)
    process = subprocess.Popen(
        [*sac.argv, *args], env=sac.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    try:
        yield Screen(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


@pytest.fixture(scope="module")
def agent(sac: Sac) -> str:
    sac.run("run", "shell", "--detach", "--name", "a1")
    return "a1"


@pytest.fixture
def session(sac: Sac, agent: str) -> Iterator[str]:
    """A session of its own for each test: a shell that greets."""
    with terminal(sac, "attach", agent) as screen:
        screen.until(lambda: bool(screen.text))
        screen.type(b"exec sh\n")
        screen.type(b"PS1='in> '; echo he''llo\n")
        screen.shows("hello")
        screen.type(DETACH)
        assert screen.ends() == 0
        name = screen.text.rpartition("sac attach ")[2].split("]")[0]
    yield name
    sac.run("delete", "session", name)


def test_run_attaches_and_its_status_is_that_of_the_process(sac: Sac) -> None:
    with terminal(sac, "run", "shell", "--name", "r1", "--rm", "--", "sh", "-c", "stty size; exit 7") as screen:
        before = screen.modes
        assert screen.ends() == 7
        assert "30 100" in screen.text
        assert "[ended with 7]" in screen.text
        assert screen.modes == before
    assert "r1" not in sac.run("get", "agents").stdout


@pytest.mark.parametrize("way", ["hang up", "SIGHUP", "SIGTERM"])
def test_a_terminal_that_is_killed_takes_what_was_to_be_removed(sac: Sac, way: str) -> None:
    with terminal(sac, "run", "shell", "--name", "r2", "--rm", "--", "sh", "-c", "echo he''llo; sleep 1000") as screen:
        screen.shows("hello")
        if way == "hang up":
            screen.hang_up()
        else:
            screen.process.send_signal(getattr(signal, way))
        assert screen.process.wait(timeout=30) in (129, 143)
    assert "r2" not in sac.run("get", "agents").stdout


def test_what_was_said_is_there_again_and_detaching_gives_the_terminal_back(sac: Sac, session: str) -> None:
    with terminal(sac, "attach", session) as screen:
        before = screen.modes
        screen.shows("hello")
        assert screen.modes != before
        screen.type(b"printf '\\033[?1049h\\033[?1000h\\033[?25l'; echo al''t\n")
        screen.shows("alt")
        screen.type(DETACH)
        assert screen.ends() == 0
        assert screen.modes == before
        for undone in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"):
            assert undone in screen.raw


def test_the_terminals_size_is_the_sessions_and_follows_it(sac: Sac, session: str) -> None:
    with terminal(sac, "attach", session) as screen:
        screen.shows("in>")
        screen.resize(90, 25)
        screen.type(b"until stty size | grep '25 90'; do sleep 0.05; done\n")
        screen.shows("\n25 90")


def test_a_second_viewer_watches_and_can_take_over(sac: Sac, session: str) -> None:
    with terminal(sac, "attach", session) as first:
        first.shows("in>")
        with terminal(sac, "attach", session, "--view") as second:
            second.shows("hello")
            second.type(b"echo not''typed\n")
            first.type(b"echo se''en\n")
            second.shows("seen")
            assert "nottyped" not in second.text
        with terminal(sac, "attach", session, "--take") as third:
            third.shows("in>")
            third.type(b"echo ta''ken\n")  # also before it has been told that it controls
            first.shows("somebody else took over")
            first.shows("taken")


def test_a_killed_server_is_said_and_the_session_goes_on_where_it_was(sac: Sac, session: str) -> None:
    with terminal(sac, "attach", session) as screen:
        screen.shows("in>")
        screen.type(b"for i in $(seq 9000); do echo line $i; done; echo fin''ished\n")
        screen.until(lambda: b"line 1\r" in screen.raw)  # what was typed has arrived
        os.kill(json.loads((sac.folder / "server.json").read_text())["pid"], signal.SIGKILL)
        screen.shows("waiting for the server")
        sac.run("get", "agents")
        screen.until(lambda: b"sac: back" in screen.raw)  # what is typed before would not be sent
        screen.shows("finished")
        printed = NOTICE.sub(b"", screen.raw).replace(b"\r", b"")  # a notice may come in the middle of a line
        lines = [line for line in printed.split(b"\n") if line.startswith(b"line ")]
        assert lines == [b"line %d" % number for number in range(1, 9001)]
        screen.type(b"echo back''again\n")
        screen.shows("backagain")


def test_a_lone_beginning_of_the_detach_keys_is_typed_after_a_second(sac: Sac, session: str) -> None:
    with terminal(sac, "attach", session) as screen:
        screen.shows("in>")
        screen.type(b"cat -v\n\x1d")
        screen.shows("^]")
        screen.type(b"d\n")
        screen.shows("^]d")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_view_and_gives_the_terminal_back(sac: Sac, session: str, number: int, status: int) -> None:
    with terminal(sac, "attach", session) as screen:
        before = screen.modes
        screen.shows("in>")
        screen.process.send_signal(number)
        assert screen.ends() == status
        assert screen.modes == before


def test_waiting_says_what_it_waits_for(fresh: Sac) -> None:
    with terminal(fresh, "get", "agents") as screen:
        screen.until(lambda: b"Starting the server" in screen.raw)
        assert screen.ends() == 0
        assert screen.text == "No agents."
