"""The guide's snippets run as they stand, and `sac ask` does what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from model_endpoint import Endpoint, endpoint, text, tool_use
from screen import shown

SNIPPETS = Path(__file__).resolve().parents[4] / "docs" / "snippets"
RUN = tool_use("toolu_1", "Bash", command="echo made > made.txt", description="make it")


def sac(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    stdin: dict[str, Any] = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    argv = [sys.executable, "-m", "sac_core", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **stdin)


@pytest.fixture
def place(claude: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place where `sac` and `claude` are on PATH, and nothing runs afterwards."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "claude").symlink_to(claude)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SAC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(home)
    yield home
    sac("delete", "coder")
    sac("down")


@contextmanager
def coder(folder: Path, *script: list[dict[str, Any]] | int) -> Iterator[Endpoint]:
    """The agent coder, running, with a stand-in for its model."""
    with endpoint(*script) as model:
        sac("secrets", "put", "model", given="sk-ant-api03-" + "Ab1_" * 10)
        options = {"apiKey": "model", "baseUrl": model.url, "permissionMode": "default"}
        given = [part for name, each in options.items() for part in ("--option", f"{name}={each}")]
        done = sac("run", "claude-code", str(folder), "--name", "coder", *given, "--detach")
        assert done.returncode == 0, done.stderr
        yield model


def test_the_guide_is_typed_as_it_stands(place: Path) -> None:
    done = subprocess.run(
        ["sh", "-e", str(SNIPPETS / "claude_code.sh")], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    for words in ("agent/coder", "(Claude Code)", "agent/coder deleted"):
        assert words in done.stdout


def test_a_question_and_what_came_before_it(place: Path, folder: Path) -> None:
    with coder(folder, [text("It is forty"), text("-two.")], [text("As I said.")]) as model:
        first = sac("ask", "coder", "how much is it?")
        assert (first.returncode, first.stdout) == (0, "It is forty-two.\n"), first.stderr
        resume = first.stderr.split("--resume ")[1].strip()
        second = sac("ask", "coder", "--resume", resume, given="are you sure?\n")
        assert (second.returncode, second.stdout) == (0, "As I said.\n"), second.stderr
        assert "how much is it?" in str(model.asked[-1][1]["messages"])


def test_in_a_script_a_tool_is_refused_unless_all_is_allowed(place: Path, folder: Path) -> None:
    with coder(folder, [RUN], [text("Not done.")], [RUN], [text("Done.")]):
        refused = sac("ask", "coder", "make it")
        assert (refused.returncode, (folder / "made.txt").exists()) == (0, False)
        assert "Bash is refused: nobody is here to allow it" in refused.stderr
        done = sac("ask", "coder", "make it", "--yes", "-o", "json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert (done.returncode, (folder / "made.txt").exists()) == (0, True)
        assert [events[0]["type"], events[-1]] == ["started", {"type": "completed", "outcome": "done"}]


async def test_a_person_is_asked_before_a_tool_is_used(place: Path, folder: Path) -> None:
    with coder(folder, [RUN], [text("Done.")]):
        with shown(sys.executable, "-m", "sac_core", "ask", "coder", "make it") as terminal:
            await terminal.until("[y/N]")
            assert not (folder / "made.txt").exists()
            await terminal.type("y\n")
            await terminal.until("Done.")
    assert (folder / "made.txt").read_text() == "made\n"


async def test_an_interrupt_cancels_the_turn(place: Path, folder: Path) -> None:
    with coder(folder, [text("First half."), text("Second half.")]) as model:
        model.hold = "First half."
        with shown(sys.executable, "-m", "sac_core", "ask", "coder", "tell me") as terminal:
            await terminal.until("First half.")
            terminal.program.send_signal(signal.SIGINT)
            await terminal.until("--resume")
            assert terminal.program.wait(20) == 130
            assert "Second half." not in terminal.text


def test_a_failed_turn_is_told(place: Path, folder: Path) -> None:
    with coder(folder, *[400] * 10):
        done = sac("ask", "coder", "hello")
    assert (done.returncode, "ModelRefused" in done.stderr) == (1, True)


def test_the_program_of_the_guide_talks(place: Path, folder: Path) -> None:
    write = tool_use("toolu_1", "Write", file_path=str(folder / "haiku.txt"), content="a pond\n")
    with coder(folder, [write], [text("It is written.")]):
        sac("down")  # embedded, it is the server itself
        argv = [sys.executable, str(SNIPPETS / "converse.py"), "coder"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert ("It is written." in done.stdout, "[done]" in done.stdout) == (True, True), done.stderr
    assert (folder / "haiku.txt").read_text() == "a pond\n"
