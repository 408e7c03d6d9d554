"""`sac run claude-code`: the real program in a real terminal, which asks nothing before it can be used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_endpoint import endpoint, text
from screen import shown

SAC = (sys.executable, "-m", "sac_core")
KEY = "sk-ant-api03-" + "Ab1_" * 10


@pytest.fixture
def data(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory, and no server after the test."""
    monkeypatch.setenv("SAC_DATA_DIR", str(tmp_path / "data"))
    yield tmp_path / "data"
    sac("down")


def sac(*arguments: str, given: str = "") -> str:
    done = subprocess.run([*SAC, *arguments], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("option", "header", "value"),
    [
        ("apiKey", "x-api-key", KEY),
        ("subscriptionToken", "authorization", f"Bearer {KEY}"),
        ("gatewayToken", "authorization", f"Bearer {KEY}"),
    ],
    ids=["key", "subscription", "gateway"],
)
async def test_run_opens_it_ready_to_be_asked(
    data: Path, claude: str, folder: Path, option: str, header: str, value: str
) -> None:
    sac("secrets", "put", "model", given=KEY)
    (folder / "how.md").write_text("Speak plainly: this is canary 1807.")
    with endpoint([text("Hello from the stand-in.")]) as model:
        run = (*SAC, "run", "claude-code", str(folder), "--name", "one", "--rm")
        options = {option: "model", "baseUrl": model.url, "program": claude, "model": "opus", "models.opus": "opus-9-9"}
        given = [part for name, each in options.items() for part in ("--option", f"{name}={each}")]
        with shown(*run, *given, "--instructions", str(folder / "how.md")) as terminal:
            await terminal.until("opus-9-9")
            await terminal.type("say hello")
            await terminal.until("say hello")
            await terminal.type("\r")
            await terminal.until("Hello from the stand-in.")
            told = sac("describe", "one") + sac("get", "sessions", "--output", "json")
        headers, asked = model.asked[0]
    assert {name.lower(): each for name, each in headers.items()}[header] == value
    assert (asked["model"], "canary 1807" in str(asked)) == ("opus-9-9", True)
    assert KEY not in told
    assert (folder / ".sac" / ".gitignore").read_text() == "*\n"
