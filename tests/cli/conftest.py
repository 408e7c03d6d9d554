"""The command as a user runs it: real processes, a data directory of their own, a server in the background."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Sac:
    """Runs `sac` for one data directory."""

    folder: Path
    env: dict[str, str] = field(repr=False)

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-m", "sac_core"]

    def run(self, *args: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run to the end; ``check`` shows what it said when it fails."""
        given: dict[str, object] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        done = subprocess.run(  # type: ignore[call-overload]
            [*self.argv, *args], env=self.env, capture_output=True, text=True, timeout=60, check=False, **given
        )
        assert not check or done.returncode == 0, f"{args}: {done.returncode}: {done.stdout}{done.stderr}"
        result: subprocess.CompletedProcess[str] = done
        return result

    def clean(self) -> None:
        """Remove every agent, then the server."""
        names = self.run("get", "agents", "-o", "name").stdout.split()
        if names and names[0].startswith("agent/"):
            self.run("delete", *names)
        self.run("down")


def make_sac(folder: Path) -> Sac:
    """`sac` for a data directory; nothing of the caller's own SAC settings is seen."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("SAC_")}
    return Sac(folder, {**env, "SAC_DATA_DIR": str(folder), "SAC_PORT": "0", "TERM": "xterm-256color", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def sac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sac]:
    """One installation for a module; its server starts with the first command."""
    sac = make_sac(tmp_path_factory.mktemp("sac"))
    yield sac
    sac.clean()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Sac]:
    """An installation that nothing has used yet."""
    sac = make_sac(tmp_path / "data")
    yield sac
    if (sac.folder / "server.json").exists():
        sac.clean()
