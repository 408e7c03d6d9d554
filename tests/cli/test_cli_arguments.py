from __future__ import annotations

import subprocess
import sys

import pytest

from sac_core.cli.app import COMMANDS, main
from sac_core.cli.arguments import rearranged


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["get", "agents"], ["get", "agents"]),
        (["--server", "u", "--debug", "get", "x"], ["get", "x", "--server", "u", "--debug"]),
        (["--data-dir=/d", "get"], ["get", "--data-dir=/d"]),
        (
            ["exec", "a", "--", "ls", "-l", "--", ""],
            ["exec", "a", "--command=ls", "--command=-l", "--command=--", "--command="],
        ),
        (["--help"], ["--help"]),
        ([], []),
    ],
)
def test_common_options_may_come_first_and_a_command_stays_whole(given: list[str], wanted: list[str]) -> None:
    assert rearranged(given) == wanted


@pytest.mark.parametrize(
    "argv",
    [
        ["frobnicate"],
        ["get"],
        ["get", "agents", "--frob"],
        ["exec", "a1"],
        ["attach", "a", "--view", "--take"],
        ["attach", "a", "--detach-keys", "nonsense"],
        ["delete"],
        ["run", "shell", "--rm", "--detach"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    said = capsys.readouterr()
    assert said.err.startswith("sac: ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_every_command_has_help_that_names_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    for name, summary, usage in COMMANDS:
        assert main([*name.split(), "--help"]) == 0
        text = capsys.readouterr().out
        assert f"sac {name} {usage}" in text
        assert summary.split()[0] in text
        assert "--command" not in text


def test_help_loads_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['sac', '--help']; from sac_core.cli import main; main();"
        "heavy = ('pydantic', 'httpx2', 'websockets', 'starlette', 'sqlalchemy', 'sac_core.server');"
        "sys.exit(','.join(name for name in heavy if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_server_is_one_line_and_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--server", "http://127.0.0.1:1", "get", "agents"]) == 1
    assert capsys.readouterr().err.startswith("sac: no SAC server answers at http://127.0.0.1:1")
    with pytest.raises(Exception, match="no SAC server answers"):
        main(["--server", "http://127.0.0.1:1", "--debug", "get", "agents"])
