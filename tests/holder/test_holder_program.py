"""The holder's program as a file: what it is written for, what it costs, and that the oldest Python runs it."""

from __future__ import annotations

import ast
import json
import os
import py_compile
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from holder_process import PROGRAM, linked, running_holder, shell, started
from sac_core.models.process import Command, Exit, TtySize

LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


def python38() -> str | None:
    """An interpreter of Python 3.8: on the path, or of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [str(path) for path in sorted(root.glob("versions/3.8.*/bin/python3.8"))]
    on_path = shutil.which("python3.8")
    return next((python for python in [*found, on_path] if python and _runs(python)), None)


def _runs(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, timeout=20).returncode == 0


def rss(pid: int) -> int:
    """KiB of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def compiled(folder: Path) -> Path:
    return Path(py_compile.compile(str(PROGRAM), cfile=str(folder / "holder.pyc"), doraise=True) or "")


def test_it_is_python_38_and_imports_nothing_of_ours() -> None:
    tree = ast.parse(PROGRAM.read_text(), feature_version=(3, 8))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert names
    assert not [name for name in names if name.startswith("sac_core")]


async def test_python_38_runs_it(tmp_path: Path) -> None:
    python = python38()
    if python is None:
        pytest.skip("Python 3.8 is not installed")
    with running_holder(tmp_path, python=python):
        await started(tmp_path)
        async with linked(tmp_path) as link:
            process = await link.open_process("p", shell("read line; stty size; echo $line; exit 3", tty=True))
            await process.resize(100, 30)
            await process.write(b"hello\n")
            printed = b"".join([chunk.data async for chunk in process.output()])
            assert b"30 100\r\nhello\r\n" in printed
            assert await process.wait() == Exit(code=3)
            await process.aclose()
            assert await link.list() == ()
    assert not (tmp_path / "errors.log").exists()


@LINUX_ONLY
async def test_an_idle_holder_and_its_idle_terminals_are_small(tmp_path: Path) -> None:
    """Bounds with room for other interpreters; 12 MiB and 4 KiB are what the benchmarks watch."""
    with running_holder(tmp_path, compiled(tmp_path)) as holder:
        await started(tmp_path)
        assert rss(holder.pid) < 16 * 1024
        async with linked(tmp_path) as link:
            for number in range(10):
                await link.open_process(f"warm{number}", Command(argv=("cat",), tty=TtySize()))
            before = rss(holder.pid)
            for number in range(100):
                await link.open_process(f"p{number}", Command(argv=("cat",), tty=TtySize()))
            assert (rss(holder.pid) - before) / 100 < 6


@LINUX_ONLY
async def test_output_that_nobody_reads_does_not_grow_the_holder(tmp_path: Path) -> None:
    with running_holder(tmp_path) as holder:
        await started(tmp_path)
        async with linked(tmp_path) as link:
            before = rss(holder.pid)
            for number in range(4):
                await link.open_process(f"p{number}", shell("head -c 60000000 /dev/zero", block=False))
            with anyio.fail_after(60):
                while not all(record.exit for record in await link.list()):  # noqa: ASYNC110
                    await anyio.sleep(0.02)
            assert rss(holder.pid) - before < 4 * (4 + 2) * 1024


async def test_it_ends_with_all_of_its_processes_when_it_is_asked(tmp_path: Path) -> None:
    with running_holder(tmp_path) as holder:
        await started(tmp_path)
        async with linked(tmp_path) as link:
            await link.open_process("p", shell("trap '' TERM HUP; echo $$; while :; do sleep 0.05; done", tty=True))
            pid = (await link.list())[0].pid
            (tmp_path / "grace").write_text("0.2")
            holder.send_signal(signal.SIGTERM)
            with anyio.fail_after(10):
                await link.closed.wait()
        assert holder.wait(10) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not (tmp_path / "holder.sock").exists()


async def test_only_one_holder_has_a_folder(tmp_path: Path) -> None:
    with running_holder(tmp_path) as first:
        await started(tmp_path)
        with running_holder(tmp_path) as second:
            assert second.wait(10) == 1
        assert json.loads((tmp_path / "pid").read_text())["pid"] == first.pid
