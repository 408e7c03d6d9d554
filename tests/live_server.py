"""A server as a user starts it: `sac up` in a process of its own, that a test may kill and start again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import anyio
import psutil
import pytest

from sac_core.client import connect
from sac_core.client.surface import HttpSac
from sac_core.testing.fixtures import unused_port

T = TypeVar("T")

LINK = re.compile(r"http://\S+/#code=\S+")
START_TIMEOUT = 30.0


def clean_environment() -> dict[str, str]:
    """The environment without the caller's own SAC settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SAC_")}


async def until(look: Callable[[], Awaitable[T | None]], *, seconds: float = 20, every: float = 0.05) -> T:
    """What ``look`` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{getattr(look, '__name__', 'the condition')} did not hold within {seconds:g} s")
        await anyio.sleep(every)


@dataclass
class LiveServer:
    """`sac up` for one data directory and one port. ``before`` runs in the new process before the server does."""

    folder: Path
    port: int = field(default_factory=unused_port)
    before: Callable[[], None] | None = None
    env: dict[str, str] = field(default_factory=clean_environment, repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        # A login shell reads its user's profile: tests must not depend on what that does.
        self.env["HOME"] = str(self.folder.parent)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return (self.folder / "token").read_text().strip()

    @property
    def said(self) -> str:
        """What it printed since it was started last."""
        path = self.folder.with_suffix(".out")
        return path.read_text(errors="replace") if path.exists() else ""

    async def start(self) -> str:
        """Start it; returns the sign-in link that it prints once it serves."""
        self.launch()

        async def printed_a_link() -> str | None:
            assert self.process is not None
            assert self.process.poll() is None, f"the server ended: {self.said}"
            found = LINK.search(self.said)
            return found.group() if found else None

        return await until(printed_a_link, seconds=START_TIMEOUT)

    def launch(self) -> None:
        """Start it without waiting for anything."""
        with self.folder.with_suffix(".out").open("wb") as output:
            self.process = subprocess.Popen(
                self.argv("up", "--port", str(self.port)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.env,
                preexec_fn=self.before,
                start_new_session=True,
            )

    def argv(self, *args: str) -> list[str]:
        """The command line of a `sac` command for this data directory."""
        return [sys.executable, "-m", "sac_core", *args, "--data-dir", str(self.folder)]

    async def run(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        """Run a `sac` command for this data directory to its end, whatever it returns."""
        with anyio.fail_after(60):
            return await anyio.run_process(self.argv(*args), env=self.env, check=False)

    def kill(self) -> None:
        """What a crash or the kernel does: it has no chance to do anything more."""
        self.stop(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    async def restart(self) -> str:
        """Kill it and start it again at once."""
        self.kill()
        return await self.start()

    async def sign_in_link(self) -> str:
        """A link as a user gets one: by `sac console`."""
        done = await self.run("console")
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[HttpSac]:
        """The SDK, over HTTP."""
        async with connect(self.url, self.token) as sac:
            yield sac

    def holders(self) -> list[psutil.Process]:
        """The holders of this data directory that live."""
        return [process for process in self.processes() if "--uid" in process.info["cmdline"]]

    def processes(self) -> list[Any]:
        """Every process whose command line names this data directory."""
        found = psutil.process_iter(["cmdline", "status"])
        named = [one for one in found if any(str(self.folder) in part for part in one.info["cmdline"] or ())]
        return [one for one in named if one.info["status"] != psutil.STATUS_ZOMBIE]

    def end(self) -> None:
        """End the server and everything that it started."""
        for process in self.processes():
            for one in [*_descendants(process), process]:
                _kill(one)
        if self.process is not None:
            self.process.wait(timeout=20)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    """A server that runs, of this test alone."""
    server = LiveServer(tmp_path / "data")
    try:
        await server.start()
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def live_server() -> type[LiveServer]:
    """The class, for servers that a module shares or that need more than the defaults."""
    return LiveServer
