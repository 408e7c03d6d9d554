"""Starting the server of a data directory in the background, as tmux does; safe when two commands do it at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from sac_core.cli.place import LOG_FILE, Server
from sac_core.cli.progress import Progress
from sac_core.errors import ConfigurationError, DeadlineError
from sac_core.settings import Settings

START_TIMEOUT = 30.0
"""Seconds that a server may take to answer."""
RIVAL_TIMEOUT = 10.0
"""Seconds that another one may take, when ours ended because that one was quicker."""

Look = Callable[[Settings], Awaitable[Server | None]]


async def start(settings: Settings, look: Look) -> Server:
    """Start it and wait until it answers; raises what it complained of when it ends instead."""
    log = _open_log(settings.data_dir)
    child = _spawn(settings, log)
    deadline = time.monotonic() + START_TIMEOUT
    with Progress("Starting the server") as progress:
        while time.monotonic() < deadline:
            progress.show(f"Starting the server of {settings.data_dir} (process {child.pid})")
            server = await look(settings)
            if server is not None:
                return server
            if child.poll() is not None:  # most often another command's server was quicker
                deadline = min(deadline, time.monotonic() + (RIVAL_TIMEOUT if _in_use(log) else 0))
            await anyio.sleep(0.05)
    raise _no_server(child, log)


def _open_log(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = folder / LOG_FILE
        os.close(os.open(log, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"cannot use {folder}: {error.strerror}", field="SAC_DATA_DIR", hint="give a folder that you may write to"
        ) from None
    return log


def _spawn(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "sac_core",
        "up",
        "--background-child",
        "--data-dir",
        str(settings.data_dir.resolve()),
    ]
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True
        )


def _in_use(log: Path) -> bool:
    return "SAC_DATA_DIR" in last_line(log) or "already running" in last_line(log)


def last_line(log: Path) -> str:
    """The last line that the server wrote; empty when there is none."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return lines[-1].removeprefix("sac: ") if lines else ""


def _no_server(child: subprocess.Popen[bytes], log: Path) -> ConfigurationError | DeadlineError:
    said = last_line(log)
    if child.poll() is None:
        return DeadlineError(f"the server did not answer within {START_TIMEOUT:g} s", hint=f"see {log}")
    return ConfigurationError(said or f"the server ended with {child.returncode}", hint=f"see {log}")
