"""The tutorial is followed to the letter: its commands run, its files are written, in the order of the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guides" / "write-an-executor.md"
STEP = re.compile(r"(?P<before>.*?)^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
DEADLINE = 240.0


class Step(NamedTuple):
    """What the page says before a block, the block's language, and its text."""

    before: str
    language: str
    text: str

    @property
    def fails(self) -> bool:
        """Whether the page says that the command does."""
        return "It fails" in self.before

    @property
    def path(self) -> str:
        """The file that the text is of, as the page names it in words."""
        named = re.findall(r"`([\w/]+\.py)`", self.before)
        assert named, f"the page names no file before {self.text[:60]!r}"
        return str(named[-1])


def steps() -> Iterator[Step]:
    for found in STEP.finditer(PAGE.read_text()):
        yield Step(found["before"], found["language"], found["text"])


@dataclass
class Reader:
    """Who follows the page: in one shell, so that folder and PATH stay from command to command."""

    folder: Path
    env: dict[str, str]
    shown: str = ""
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.folder.parent / "state"
        self.cwd = self.folder

    def run(self, script: str, *, fails: bool) -> None:
        """Run the lines of a block, as they are."""
        script += f'\nprintf "%s\\n%s\\n" "$PWD" "$PATH" > "{self.state}"\n'
        done = subprocess.run(
            ["sh", "-c" if fails else "-ec", script],
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
        )
        self.shown = done.stdout
        assert done.returncode == 0, self.shown
        assert ("failed" in self.shown) == fails, self.shown
        cwd, self.env["PATH"] = self.state.read_text().splitlines()
        self.cwd = Path(cwd)

    def write(self, path: str, text: str) -> None:
        """Write a file of the page over that of the template."""
        (self.cwd / path).parent.mkdir(parents=True, exist_ok=True)
        (self.cwd / path).write_text(text)

    def sees(self, text: str) -> None:
        """Every line that the page promises was printed."""
        missing = [line for line in text.splitlines() if line.strip() not in self.shown]
        assert not missing, f"{missing} is not in:\n{self.shown}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SAC's own wheel, with the console as it is built here."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, env={**os.environ, "SAC_SKIP_WEB": "1"}, check=True, timeout=DEADLINE)
    return next(folder.glob("*.whl"))


@pytest.fixture
def reader(tmp_path: Path, wheel: Path) -> Reader:
    """In an empty folder, with no environment of Python's, and SAC as it would be published."""
    (tmp_path / "work").mkdir()
    (tmp_path / "constraints").write_text(f"sac-core @ {wheel.as_uri()}\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SAC_", "PYTEST", "PYTHON"))}
    path = [part for part in env["PATH"].split(":") if part != str(Path(sys.executable).parent)]
    env |= {
        "PATH": ":".join([str(Path(sys.base_prefix) / "bin"), *path]),
        "HOME": str(tmp_path),
        "PIP_CONSTRAINT": str(tmp_path / "constraints"),
        "SAC_DATA_DIR": str(tmp_path / "data"),
        "SAC_PORT": "0",
    }
    env.pop("VIRTUAL_ENV", None)
    return Reader(tmp_path / "work", env)


@pytest.mark.timeout(900)
def test_who_follows_the_page_has_an_executor(reader: Reader) -> None:
    try:
        for step in steps():
            if step.language == "sh":
                reader.run(step.text, fails=step.fails)
            elif step.language == "text":
                reader.sees(step.text)
            else:
                reader.write(step.path, step.text)
        in_form = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=reader.cwd, capture_output=True)
        assert in_form.returncode == 0, in_form.stdout
    finally:
        subprocess.run(["sh", "-c", "sac down"], cwd=reader.cwd, env=reader.env, timeout=60, capture_output=True)


def test_the_page_names_every_file_that_it_shows() -> None:
    shown = {step.path for step in steps() if step.language == "python"}
    snippets = ROOT / "docs" / "snippets" / "cabin"
    assert shown == {str(file.relative_to(snippets)) for file in snippets.rglob("*.py")}
