"""`sac cp` as a user runs it: where copies land, what is kept, what is refused, how it ends."""

from __future__ import annotations

import os
import pty
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from archives import entries
from sac_core.cli.app import main
from sac_core.cli.commands.cp import readable

if TYPE_CHECKING:
    from cli.conftest import Sac

RAW = "caf\udce9 \n"
"""A name that is no UTF-8, with a line end."""


@pytest.fixture(scope="module")
def home(sac: Sac) -> Path:
    """Where the agent works: a folder of this machine, as its executor is that of processes."""
    sac.run("run", "shell", "--detach", "--name", "a1")
    return Path(sac.run("exec", "a1", "--", "pwd").stdout.strip())


@pytest.fixture
def far(home: Path) -> Path:
    """A folder in the agent, for one test."""
    return Path(tempfile.mkdtemp(dir=home, prefix="far"))


@pytest.fixture
def near(tmp_path: Path, sac: Sac, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this machine, in which the commands run."""
    folder = tmp_path / "near"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, value in sac.env.items():
        monkeypatch.setenv(name, value)
    return folder


def cp(source: str, target: str) -> int:
    """The command in this process, which is quicker."""
    return main(["cp", source, target])


def piped(sac: Sac, *args: str, stdin: bytes = b"") -> bytes:
    """What the command prints, run as a user does."""
    argv = [*sac.argv, "cp", *args]
    done = subprocess.run(argv, env=sac.env, input=stdin, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def state(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """All that is in a folder and must be kept."""
    found: dict[bytes, tuple[object, ...]] = {}
    root = os.fsencode(folder)
    for place, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            known, key = os.lstat(path), os.path.relpath(path, root)
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            elif os.path.isdir(path):
                found[key] = ("folder", known.st_mode, int(known.st_mtime))
            else:
                found[key] = ("file", known.st_mode, int(known.st_mtime), Path(os.fsdecode(path)).read_bytes())
    return found


def make_folder(folder: Path) -> None:
    """A folder with all that may be in one."""
    deep = folder / ("a long name " * 10) / ("another one " * 10)
    deep.mkdir(parents=True)
    (deep / "deep").write_text("deep")
    (folder / "empty").mkdir(mode=0o750)
    (folder / "-rf").write_bytes(random.Random(3).randbytes(300_000))
    (folder / "run.sh").write_text("#!/bin/sh\necho it runs\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "private").write_text("")
    (folder / "private").chmod(0o600)
    (folder / "link").symlink_to("./run.sh")
    (folder / "gone").symlink_to("not/there")
    (folder / RAW).write_text("raw")
    os.link(folder / "run.sh", folder / "second")
    for number, path in enumerate(sorted(folder.rglob("*"), key=lambda path: -len(path.parts))):
        os.utime(path, (1_600_000_000 + number,) * 2, follow_symlinks=False)


def test_a_folder_goes_there_and_back_as_it_was(far: Path, near: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_folder(near / "src")
    assert cp("src", f"a1:{far.name}") == 0
    assert state(far / "src") == state(near / "src")
    assert cp(f"a1:{far.name}/src", "back") == 0
    assert state(near / "back") == state(near / "src")
    assert capfd.readouterr() == ("", "")


def test_names_in_an_agent_tell_the_terminal_nothing(far: Path, near: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = "title\x1b]0;evil\x07\n\x9b31m"
    (far / name).write_text("x")
    (near / "back" / name).mkdir(parents=True)
    assert cp(f"a1:{far.name}/.", "back") == 1
    said = capfd.readouterr().err
    assert "title" in said
    assert [sign for sign in said.removesuffix("\n") if not sign.isprintable()] == []


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_a_folder_lands_as_cp_decides_it(far: Path, near: Path) -> None:
    (near / "d").mkdir()
    (near / "d" / "f").write_text("1")
    assert cp("d", f"a1:{far.name}/new") == 0  # not there: under that name
    assert cp("d", f"a1:{far.name}/new") == 0  # there: into it
    assert cp("d/.", f"a1:{far}") == 0  # what is in it, to an absolute path
    assert files(far) == ["f", "new/d/f", "new/f"]
    assert cp(f"a1:{far.name}/new", "here") == 0
    assert cp(f"a1:{far.name}/new", "here") == 0
    assert cp(f"a1:{far.name}/new/d/.", "here") == 0
    assert files(near / "here") == ["d/f", "f", "new/d/f", "new/f"]


def test_a_file_lands_as_cp_decides_it(far: Path, near: Path) -> None:
    (near / "f").write_text("1")
    (near / "s").symlink_to("f")
    assert [cp("f", f"a1:{far.name}"), cp("f", f"a1:{far.name}/"), cp("s", f"a1:{far.name}/g")] == [0, 0, 0]
    assert files(far) == ["f", "g"]
    assert not (far / "g").is_symlink()
    (near / "d").mkdir()
    assert [cp(f"a1:{far.name}/f", "d"), cp(f"a1:{far.name}/f", "d/h")] == [0, 0]
    assert files(near / "d") == ["f", "h"]
    (near / "f").write_text("longer than before")
    assert cp(f"a1:{far.name}/f", "s") == 0  # through the user's own link
    assert (near / "f").read_text() == "1"
    assert (near / "s").is_symlink()


def test_a_path_may_have_any_byte(far: Path, near: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path(RAW).write_text("raw")
    assert cp(RAW, f"a1:{far.name}") == 0
    assert (far / RAW).read_text() == "raw"
    assert cp(f"a1:{far.name}/{RAW}", "here") == 0
    assert (near / "here").read_text() == "raw"
    assert cp(f"a1:{far.name}/no{RAW}", "here") == 1
    assert "there is no" in capfd.readouterr().err


def test_a_dash_is_what_is_piped(sac: Sac, far: Path, near: Path) -> None:
    data = random.Random(4).randbytes(3_000_000)
    piped(sac, "-", f"a1:{far.name}/piped", stdin=data)
    assert (far / "piped").read_bytes() == data
    assert piped(sac, f"a1:{far.name}/piped", "-") == data
    tar = piped(sac, f"a1:{far.name}", "-")
    assert [one.data for name, one in entries(tar).items() if name == "piped"] == [data]
    (far / "again").mkdir()
    piped(sac, "-", f"a1:{far.name}/again", stdin=tar)
    assert (far / "again" / "piped").read_bytes() == data
    piped(sac, "-", f"a1:{far.name}/empty")
    assert (far / "empty").read_bytes() == b""
    assert os.listdir(near) == []


WRONG = {
    "a file that is not there": ("a1:FAR/nothing", "here", 1, "FAR/nothing"),
    "a folder that is not there": ("f", "a1:FAR/no/f", 1, "FAR/no"),
    "a folder that was meant": ("f", "a1:FAR/no/", 1, "there is no folder FAR/no/"),
    "an agent that is not there": ("f", "nobody:f", 1, "nobody"),
    "a local file that is not there": ("nothing", "a1:FAR", 1, "there is no nothing"),
    "a local folder that is not there": ("a1:FAR/f", "no/f", 1, "near/no"),
    "a local folder that was meant": ("a1:FAR/f", "no/", 1, "there is no folder no/"),
    "a folder over a file": ("d", "a1:FAR/f", 1, "FAR/f is there and is no folder"),
    "a folder over a local file": ("a1:FAR", "f", 1, "f is there and is no folder"),
    "a file over a local device": ("a1:FAR/f", "/dev/null", 1, "/dev/null is no file"),
    "a file over a local folder": ("a1:FAR/f", "e", 1, "e/f is a folder"),
    "a pipe": ("a1:FAR/pipe", "here", 1, "neither a file nor a folder"),
    "a local pipe": ("pipes", "a1:FAR", 1, "pipes/p is neither a file nor a folder"),
    "two agents": ("a1:f", "a2:f", 2, "one of both must be AGENT:PATH"),
    "no agent": ("f", "g", 2, "one of both must be AGENT:PATH"),
    "two pipes": ("-", "-", 2, "one of both must be AGENT:PATH"),
    "a local file with a colon": ("./a:b", "g", 2, "one of both must be AGENT:PATH"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(far: Path, near: Path, case: str, capfd: pytest.CaptureFixture[str]) -> None:
    source, target, status, says = (str(part).replace("FAR", far.name) for part in WRONG[case])
    (near / "f").write_text("mine")
    for folder in ("d", "pipes", "e/f"):
        (near / folder).mkdir(parents=True)
    os.mkfifo(near / "pipes" / "p")
    (far / "f").write_text("theirs")
    os.mkfifo(far / "pipe")
    before = sorted(os.listdir(near))
    assert cp(source, target) == int(status)
    said = capfd.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert (sorted(os.listdir(near)), (near / "f").read_text()) == (before, "mine")


@pytest.mark.parametrize("link", ["/etc", "../../../../../../../../../../etc"])
def test_what_an_agent_made_to_do_harm_is_not_extracted(
    far: Path, near: Path, link: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (far / "link").symlink_to(link)
    assert cp(f"a1:{far.name}", "here") == 1
    assert "is refused" in capfd.readouterr().err
    assert list((near / "here").iterdir()) == []


def test_a_file_that_is_shorter_than_it_says_is_no_copy(
    far: Path, near: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    short = Path("/sys/kernel/uevent_seqnum")
    if not short.exists() or short.stat().st_size == len(short.read_bytes()):
        pytest.skip("faults: no file here is shorter than it says")
    assert cp(str(short), f"a1:{far.name}/short") == 1
    assert str(short) in capfd.readouterr().err


def test_progress_is_shown_on_a_terminal(sac: Sac, far: Path, near: Path) -> None:
    with (far / "big").open("wb") as file:
        file.truncate(20 << 30)
    ours, theirs = pty.openpty()
    argv = [*sac.argv, "cp", f"a1:{far.name}/big", "back"]
    with subprocess.Popen(argv, env=sac.env, stdin=theirs, stdout=theirs, stderr=theirs) as command:
        os.close(theirs)
        shown = bytearray()
        while b"MiB" not in shown and (data := read(ours)):
            shown += data
        command.terminate()
        while data := read(ours):
            shown += data
    os.close(ours)
    assert command.returncode == 143
    assert b"Copied " in shown
    assert b"MiB" in shown
    assert shown.endswith(b"\x1b[K")


def read(terminal: int) -> bytes:
    """Some bytes; none when nobody has the other end."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_copy_that_is_stopped_leaves_nothing(
    sac: Sac, far: Path, near: Path, number: signal.Signals, status: int
) -> None:
    with (far / "sparse").open("wb") as file:
        file.truncate(20 << 30)
    argv = [*sac.argv, "cp", f"a1:{far.name}/sparse", "here"]
    with subprocess.Popen(argv, env=sac.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        until(lambda: any(path.stat().st_size > 0 for path in near.iterdir()))
        command.send_signal(number)
        assert command.wait(60) == status
    assert os.listdir(near) == []
    until(lambda: not tars(far))


def tars(folder: Path) -> list[psutil.Process]:
    """Who works in a folder."""
    found = psutil.process_iter(["cwd", "status"])
    return [one for one in found if one.info["cwd"] == str(folder) and one.info["status"] != psutil.STATUS_ZOMBIE]


def until(look: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 30, "1.0 GiB"),
        (1 << 62, "4194304.0 TiB"),
    ],
)
def test_sizes_are_readable(count: int, said: str) -> None:
    assert readable(count) == said
