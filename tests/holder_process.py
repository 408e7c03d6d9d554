"""A real holder in a folder, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio

import sac_core
from sac_core.held import HolderLink, open_link
from sac_core.models.process import Command, TtySize

PROGRAM = Path(sac_core.__file__).parent / "holder" / "program.py"


@contextmanager
def running_holder(
    folder: Path, program: Path = PROGRAM, python: str = sys.executable
) -> Iterator[subprocess.Popen[bytes]]:
    """A holder, killed at the end."""
    command = [python, "-I", "-S", str(program), "--dir", str(folder), "--uid", "u1", "--foreground", "1"]
    with subprocess.Popen(command) as holder:
        try:
            yield holder
        finally:
            holder.kill()


async def started(folder: Path) -> None:
    with anyio.fail_after(10):
        while not (folder / "pid").exists():  # noqa: ASYNC110
            await anyio.sleep(0.01)


@asynccontextmanager
async def linked(folder: Path) -> AsyncIterator[HolderLink]:
    async with open_link(await anyio.connect_unix(folder / "holder.sock")) as link:
        yield link


def shell(line: str, *, tty: bool = False, block: bool = True) -> Command:
    return Command(argv=("sh", "-c", line), tty=TtySize() if tty else None, overflow="block" if block else "drop")
