"""`sac recordings` and `sac replay`: in a terminal that is given back as it was, and in a file."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.test_cli_terminal import Screen, set_size
from sac_core.cli.replaying import Pace, lines
from sac_core.errors import LostError

if TYPE_CHECKING:
    from cli.conftest import Sac

SCRIPT = r"printf 'hello \033[?1049h\033[?25l\033[c'; sleep 0.3; echo bye; exit 0"


@pytest.fixture(scope="module")
def recorded(sac: Sac) -> str:
    """The name of a recording that is complete."""
    said = sac.run("run", "shell", "--name", "r1", "--detach", "--recording", "strict", "--", "sh", "-c", SCRIPT).stdout
    name = said.split("session/")[1].strip()
    deadline = time.monotonic() + 20
    while "Complete" not in sac.run("recordings", "r1").stdout:
        assert time.monotonic() < deadline
    return name


def test_recordings_are_listed_by_agent(sac: Sac, recorded: str) -> None:
    assert recorded in sac.run("recordings").stdout
    assert f"recording/{recorded}" in sac.run("recordings", "r1", "-o", "name").stdout
    assert sac.run("recordings", "nobody").stdout == "No recordings.\n"


def test_a_file_is_plain_asciicast(sac: Sac, recorded: str, tmp_path: Path) -> None:
    path = tmp_path / "demo.cast"
    sac.run("replay", recorded, "--output", str(path))
    head, *events = [json.loads(line) for line in path.read_text().splitlines()]
    assert head["version"] == 2
    assert "".join(data for _, code, data in events if code == "o").replace("\x1b[c", "").endswith("bye\r\n")


def test_a_recording_that_is_not_there_leaves_no_file(sac: Sac, recorded: str, tmp_path: Path) -> None:
    path = tmp_path / "none.cast"
    done = sac.run("replay", "nosuch", "--output", str(path), check=False)
    assert done.returncode == 1
    assert "nosuch" in done.stderr
    assert not path.exists()
    for wrong in ("0", "-1"):
        assert sac.run("replay", recorded, "--speed", wrong, check=False).returncode == 2


@pytest.mark.parametrize(
    ("cut", "status"), [(None, 0), (signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["to its end", "Ctrl-C", "ended"]
)
def test_the_terminal_is_given_back_as_it_was(sac: Sac, recorded: str, cut: signal.Signals | None, status: int) -> None:
    primary, secondary = pty.openpty()
    set_size(primary, 100, 30)
    extra = ["--speed", "0.01"] if cut else ["--idle-limit", "0.1"]
    process = subprocess.Popen(
        [*sac.argv, "replay", recorded, *extra], env=sac.env, stdin=secondary, stdout=secondary, stderr=secondary
    )
    screen = Screen(primary, process)
    before = screen.modes
    screen.until(lambda: b"\x1b[?25l" in screen.raw)
    assert b"\x1b[c" not in screen.raw, "the terminal would answer, and the answer would be typed"
    if cut:
        process.send_signal(cut)
    assert screen.ends() == status
    assert (b"bye" in screen.raw) is (cut is None)
    after = screen.raw.rpartition(b"\x1b[?25l")[2]
    assert b"\x1b[?1049l" in after
    assert b"\x1b[?25h" in after
    assert screen.modes == before
    os.close(primary)
    os.close(secondary)
    assert not re.search(rb"Traceback", screen.raw)


def test_time_goes_by_speed_and_pauses_are_cut() -> None:
    clock = [100.0]
    pace = Pace(2.0, 3.0, now=lambda: clock[0])
    assert pace.wait(1.0) == pytest.approx(0.5)
    assert pace.wait(61.0) == pytest.approx(2.0), "60 seconds are cut to 3, at twice the speed 1.5 more"
    clock[0] += 5
    assert pace.wait(61.0) == 0.0, "who is late hurries"


async def test_lines_are_whole_over_the_borders_of_pieces_and_only_of_a_cast() -> None:
    text = b'{"version": 2}\n[0.5, "o", "\xe4\xb8\x96"]\n[1, "m", "x"]\n'

    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        for byte in data:
            yield bytes([byte])

    assert [event async for event in lines(pieces(text))] == [[0.5, "o", "世"], [1, "m", "x"]]
    for wrong in (b"<html>\n", b'{"version": 3}\n'):
        with pytest.raises(LostError):
            [event async for event in lines(pieces(wrong))]
