"""`sac up` for others: it says by which addresses, and prints nothing that signs anybody in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sac_core.testing.fixtures import unused_port

LAST = "prints a link"


def test_a_server_for_others_prints_no_link(tmp_path: Path) -> None:
    env = os.environ | {
        "SAC_DATA_DIR": str(tmp_path / "data"),
        "SAC_TOKEN": "t" * 32,
        "SAC_ORIGINS": '["https://sac.example.com"]',
    }
    command = [sys.executable, "-m", "sac_core", "up", "--host", "0.0.0.0", "--port", str(unused_port())]
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert child.stdout is not None
    said = ""
    try:
        for line in child.stdout:
            said += line
            if LAST in line:
                break
    finally:
        child.terminate()
        said += child.communicate(timeout=30)[0]
    assert "\n    https://sac.example.com\n" in said
    assert LAST in said
    assert "code" not in said
    assert child.returncode == 0
