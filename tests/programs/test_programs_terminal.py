"""Real programs in a terminal of SAC, with their screen as an emulator draws it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pyte
import pytest

import sac_core
from sac_core.contracts.sac import Sac, Terminal
from sac_core.settings import Settings
from sac_core.wire.terminal import Exited, Output

pytestmark = pytest.mark.programs

Needed = Callable[[str, str], str]


class Screen(pyte.Screen):
    """pyte's screen, which takes vim's setting of the keyboard (``CSI > 4 ; 2 m``) for colours."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)


@dataclass
class Seen:
    """A terminal and the screen that its output draws."""

    terminal: Terminal
    screen: pyte.Screen
    stream: pyte.ByteStream
    raw: bytearray = field(default_factory=bytearray)
    exit: Exited | None = None
    changed: anyio.Event = field(default_factory=anyio.Event)

    async def draw(self) -> None:
        async for event in self.terminal:
            if isinstance(event, Output):
                self.raw += event.data
                self.stream.feed(event.data)
            elif isinstance(event, Exited):
                self.exit = event
            self.changed.set()
            self.changed = anyio.Event()

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def until(self, holds: Callable[[], object], what: str) -> None:
        try:
            with anyio.fail_after(20):
                while not holds():
                    await self.changed.wait()
        except TimeoutError:
            raise AssertionError(f"{what} never came:\n{self.text()}\n{bytes(self.raw[-300:])!r}") from None

    async def shows(self, pattern: str) -> None:
        await self.until(lambda: re.search(pattern, self.text(), re.MULTILINE), pattern)

    async def type(self, text: str) -> None:
        await self.terminal.write(text.encode())

    async def resize(self, cols: int, rows: int) -> None:
        self.screen.resize(rows, cols)
        await self.terminal.resize(cols, rows)

    async def ended(self) -> int | str | None:
        await self.until(lambda: self.exit, "the end")
        assert self.exit is not None
        return self.exit.signal or self.exit.code


@pytest.fixture
async def sac(settings: Settings) -> AsyncIterator[Sac]:
    async with sac_core.open(settings) as embedded:
        await embedded.agents.create("a1")
        await embedded.agents.wait("a1", timeout=20)
        yield embedded


@asynccontextmanager
async def running(sac: Sac, *command: str, folder: Path | None = None, **env: str) -> AsyncIterator[Seen]:
    """A program in a terminal of 80 by 24, drawn as it writes."""
    cwd = None if folder is None else str(folder)
    given = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": str(folder or "/nonexistent"), **env}
    session = await sac.sessions.create("a1", command=list(command), cwd=cwd, env=given, tty=(80, 24))
    screen = Screen(80, 24)
    async with sac.sessions.attach(session.metadata.name) as terminal, anyio.create_task_group() as group:
        seen = Seen(terminal, screen, pyte.ByteStream(screen))
        group.start_soon(seen.draw)
        yield seen
        group.cancel_scope.cancel()


async def test_vim_writes_a_file(sac: Sac, needed: Needed, tmp_path: Path) -> None:
    async with running(sac, needed("programs", "vim"), "-u", "NONE", "-N", "poem.txt", folder=tmp_path) as vim:
        await vim.shows(r'"poem\.txt" \[New')
        await vim.type("ifirst line\rzweite Zeile: äöü 漢字")
        await vim.shows("zweite Zeile")
        await vim.type("\x1b:wq\r")
        assert await vim.ended() == 0
    assert (tmp_path / "poem.txt").read_text() == "first line\nzweite Zeile: äöü 漢字\n"


async def test_vim_uses_the_whole_screen_after_a_resize(sac: Sac, needed: Needed, tmp_path: Path) -> None:
    (tmp_path / "numbers").write_text("".join(f"row {n}\n" for n in range(1, 100)))
    async with running(sac, needed("programs", "vim"), "-u", "NONE", "-N", "numbers", folder=tmp_path) as vim:
        await vim.shows("^row 23$")
        assert "row 39" not in vim.text()
        await vim.resize(60, 40)
        await vim.shows("^row 39$")
        await vim.type(":q!\r")
        assert await vim.ended() == 0


async def test_less_pages_forth_and_back_and_quits(sac: Sac, needed: Needed, tmp_path: Path) -> None:
    (tmp_path / "long").write_text("".join(f"line {n}\n" for n in range(1, 500)))
    async with running(sac, needed("programs", "less"), "long", folder=tmp_path) as less:
        await less.shows("^line 1$")
        assert "line 24" not in less.text()
        await less.type(" ")
        await less.shows("^line 46$")
        await less.type("/line 300\r")
        await less.shows("^line 300$")
        await less.type("g")
        await less.shows("^line 1$")
        await less.type("q")
        assert await less.ended() == 0


async def test_htop_draws_redraws_on_resize_and_quits(sac: Sac, needed: Needed, tmp_path: Path) -> None:
    async with running(sac, needed("programs", "htop"), folder=tmp_path) as htop:
        await htop.shows(r"PID\s+USER")
        await htop.shows(r"F10Quit")
        await htop.resize(120, 40)
        await htop.until(lambda: "F10" in htop.screen.display[39], "the bar of keys in the last row")
        assert re.search(rb"\x1b\[\?1(000|002|006)", htop.raw), "htop's wish for the mouse came through"
        await htop.type("q")
        assert await htop.ended() == 0


async def test_a_click_reaches_the_program_as_it_was_sent(sac: Sac) -> None:
    program = (
        "import sys,tty; tty.setraw(0); sys.stdout.write('\\x1b[?1000h\\x1b[?1006hready'); sys.stdout.flush();"
        "import os; data=b''\nwhile not data.endswith(b'm'): data += os.read(0, 100)\nprint(data)"
    )
    async with running(sac, "python3", "-c", program) as seen:
        await seen.shows("ready")
        assert b"\x1b[?1000h\x1b[?1006h" in seen.raw
        await seen.terminal.write(b"\x1b[<0;10;5M\x1b[<0;10;5m")
        await seen.shows(re.escape(r"b'\x1b[<0;10;5M\x1b[<0;10;5m'"))


async def test_tmux_runs_splits_and_ends(sac: Sac, needed: Needed, tmp_path: Path) -> None:
    socket = str(tmp_path / "tmux.sock")
    tmux = needed("programs", "tmux")
    async with running(sac, tmux, "-S", socket, "-f", "/dev/null", "new", "-s", "inner", "sh", folder=tmp_path) as seen:
        await seen.shows(r"^\[inner\]")
        await seen.type("\x02%")
        await seen.shows("│")
        await seen.type("echo right-$((6*7)); tmux list-panes | wc -l\r")
        await seen.shows(r"│.*right-42")
        await seen.type("\x02d")
        assert await seen.ended() == 0
        assert "detached" in seen.text()
    async with running(sac, tmux, "-S", socket, "attach", folder=tmp_path) as again:
        await again.shows(r"│.*right-42")
        await again.type("tmux kill-server\r")
        await again.ended()


async def test_the_python_repl_evaluates_and_ends_at_ctrl_d(sac: Sac) -> None:
    async with running(sac, "python3", "-q") as repl:
        await repl.shows("^>>>")
        await repl.type("print('answer', 6 * 7)\r")
        await repl.shows("^answer 42$")
        await repl.type("import time; print('waits') or time.sleep(60)\r")
        await repl.shows("^waits$")
        await repl.type("\x03")
        await repl.shows("KeyboardInterrupt")
        await repl.type("print('goes', 'on')\r")
        await repl.shows("^goes on$")
        await repl.type("\x04")
        assert await repl.ended() == 0


async def test_git_log_opens_its_pager(sac: Sac, needed: Needed, tmp_path: Path) -> None:
    make_repository(needed("programs", "git"), tmp_path)
    needed("programs", "less")
    async with running(sac, "git", "log", folder=tmp_path, PAGER="less", LESS="R") as log:
        await log.shows("number 30")
        await log.shows(r"^:$")
        await log.type("G")
        await log.shows("number 1$")
        await log.type("q")
        assert await log.ended() == 0
    assert b"\x1b[33mcommit" in log.raw, "git writes in colour to a terminal"


def make_repository(git: str, folder: Path) -> None:
    who = {f"GIT_{role}_{part}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "HOME": str(folder)}
    subprocess.run([git, "init", "-q"], cwd=folder, env=env, check=True)
    for number in range(1, 31):
        command = [git, "commit", "-q", "--allow-empty", "-m", f"number {number}"]
        subprocess.run(command, cwd=folder, env=env, check=True)
