"""SAC as its users run it: `sac up` in a process and a data directory of its own, spoken to over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

from benchmarks.websocket import WebSocket, connect
from sac_core.wire.terminal import SUBPROTOCOL

_START = 60.0
_END = 120.0
MEMORY = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
"""Where nothing waits for a disk: none of the figures is about that."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running SAC: where it is, its process, and what the benchmarks ask of it."""

    url: str
    token: str
    folder: Path
    process: psutil.Process
    http: httpx2.Client
    database: str

    def create(self, name: str, spec: dict[str, Any]) -> None:
        """Declare an agent."""
        self._ask("POST", "agents", {"metadata": {"name": name}, "spec": spec})

    def look(self, name: str) -> dict[str, Any]:
        """An agent as it is now."""
        return self._ask("GET", f"agents/{name}")

    def agent(self, name: str) -> dict[str, Any]:
        """A running agent of the process executor."""
        self.create(name, {"executor": "process", "runtime": "shell"})
        running: dict[str, Any] = wait_for(lambda: self._running(name), f"agent {name} does not run")
        return running

    def session(self, agent: str, *command: str, recording: str = "off") -> str:
        """A session of an agent; its name."""
        spec = {"agent": agent, "command": list(command), "tty": {"cols": 80, "rows": 24}, "recording": recording}
        name: str = self._ask("POST", "sessions", {"spec": spec})["metadata"]["name"]
        return name

    def attach(self, session: str) -> WebSocket:
        """A viewer of a session."""
        return connect(f"{self.url}/api/v1/sessions/{session}/attach", subprotocol=SUBPROTOCOL, token=self.token)

    def end(self, session: str) -> None:
        """Delete a session, and wait until it is gone."""
        path = f"/api/v1/sessions/{session}"
        self.http.delete(path).raise_for_status()
        wait_for(lambda: self.http.get(path).status_code == 404, f"{session} is not gone")

    def recordings(self) -> list[dict[str, Any]]:
        """All recordings, the oldest first."""
        items: list[dict[str, Any]] = self._ask("GET", "recordings")["items"]
        return sorted(items, key=lambda each: str(each["status"]["startedAt"]))

    def holders(self) -> list[psutil.Process]:
        """The holders of this server's agents."""
        records = [json.loads(path.read_text()) for path in self.folder.rglob("pid")]
        return [psutil.Process(record["pid"]) for record in records]

    def _running(self, name: str) -> dict[str, Any] | None:
        agent = self.look(name)
        return agent if agent["status"]["phase"] == "Running" else None

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self.http.request(method, f"/api/v1/{path}", json=body)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


@contextmanager
def running_server(database: str = "", *, keep: bool = False, **settings: str) -> Iterator[Server]:
    """`sac up` on a free port; at the end its agents are deleted (not if ``keep``) and its folder removed.

    ``database`` is a URL, or empty for SQLite; ``settings`` are further variables of its environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="sac-bench-", dir=MEMORY))
    env = os.environ | settings | ({"SAC_DATABASE": database} if database else {})
    command = [sys.executable, "-m", "sac_core", "up", "--port", "0", "--data-dir", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
    try:
        info = wait_for(lambda: _info(folder, process), "the server does not start", timeout=_START)
        token = (folder / "token").read_text().strip()
        authorization = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=info["url"], headers=authorization, timeout=60) as http:
            server = Server(
                info["url"], token, folder, psutil.Process(info["pid"]), http, database or str(folder / "sac.db")
            )
            try:
                yield server
            finally:
                if not keep:
                    _clear(server)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _info(folder: Path, process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
    if process.poll() is not None:
        raise RuntimeError((folder / "log").read_text(errors="replace"))
    try:
        info: dict[str, Any] = json.loads((folder / "server.json").read_text())
        return info
    except (OSError, ValueError):
        return None


def _clear(server: Server) -> None:
    def agents() -> list[str]:
        return [agent["metadata"]["name"] for agent in server.http.get("/api/v1/agents").json()["items"]]

    for name in agents():
        server.http.delete(f"/api/v1/agents/{name}")
    wait_for(lambda: not agents(), "the agents are not gone", timeout=_END)


def wait_for(condition: Callable[[], Any], what: str, *, timeout: float = 30.0) -> Any:
    """The first true value of ``condition``; raises `TimeoutError`."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)
    return found
