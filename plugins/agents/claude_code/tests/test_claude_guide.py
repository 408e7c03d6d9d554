"""The guide's snippet runs as it stands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SNIPPET = Path(__file__).resolve().parents[4] / "docs" / "snippets" / "claude_code.sh"


def test_the_guide_is_typed_as_it_stands(
    claude: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "claude").symlink_to(claude)
    for name, value in {"PATH": f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SAC_DATA_DIR", str(tmp_path / "data"))
    try:
        done = subprocess.run(
            ["sh", "-e", str(SNIPPET)], cwd=home, capture_output=True, text=True, timeout=90, check=False
        )
    finally:
        subprocess.run([shutil.which("sac") or "sac", "down"], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    for words in ("agent/coder", "(Claude Code)", "agent/coder deleted"):
        assert words in done.stdout
