"""A real git repository over HTTP, with a password, that a test can break: `git http-backend` behind a small server."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


def git(folder: Path, *args: str) -> str:
    """Run git in a folder, as nobody in particular."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *args], cwd=folder, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


@dataclass
class GitServer:
    """Serves ``folder/project.git``. ``password`` None lets everybody in.

    ``elsewhere`` is where every request is sent on to. ``broken`` answers every request with that status and ``says``;
    ``go`` is waited for before every answer of data.
    """

    folder: Path
    user: str = "ann"
    password: str | None = None
    broken: int | None = None
    elsewhere: str | None = None
    says: str = "out of order"
    go: threading.Event = field(default_factory=threading.Event)
    requests: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/project.git"

    @property
    def work(self) -> Path:
        """A clone to commit in; `publish` shows it."""
        return self.folder / "work"

    def make(self) -> None:
        """A repository with a branch, a tag, a link, a hidden file and a program."""
        self.work.mkdir(parents=True)
        git(self.work, "init", "-q")
        (self.work / "README.md").write_text("first\n")
        (self.work / ".hidden").write_text("hidden\n")
        (self.work / "src").mkdir()
        (self.work / "src" / "run.sh").write_text("#!/bin/sh\necho it runs\n")
        (self.work / "src" / "run.sh").chmod(0o755)
        (self.work / "link").symlink_to("README.md")
        self.commit("first")
        git(self.work, "tag", "v1")
        git(self.work, "checkout", "-q", "-b", "feature/one")
        (self.work / "README.md").write_text("feature\n")
        self.commit("feature")
        git(self.work, "checkout", "-q", "main")
        (self.work / "README.md").write_text("second\n")
        self.commit("second")
        git(self.folder, "clone", "-q", "--bare", str(self.work), "project.git")

    def commit(self, message: str) -> None:
        git(self.work, "add", "-A")
        git(self.work, "commit", "-q", "-m", message)

    def publish(self) -> None:
        """Show what was committed since."""
        git(self.work, "push", "-q", "--all", str(self.folder / "project.git"))

    def admits(self, authorization: str) -> bool:
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return self.password is None or authorization == f"Basic {expected}"


class _Handler(BaseHTTPRequestHandler):
    git: GitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = self.headers.get("Authorization") or ""
        self.git.requests.append((self.path, given))
        if self.git.broken is not None:
            self._say(self.git.broken, self.git.says)
        elif self.git.elsewhere is not None:
            self._say(302, "there")
        elif not self.git.admits(given):
            self._say(401, "who are you?")
        else:
            if self.command == "POST":
                self.git.go.wait(60)
            self._backend(body)

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        if status == 302:
            self.send_header("Location", f"{self.git.elsewhere}{self.path}")
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.git.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, timeout=30, check=True)
        head, _, data = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is nothing to tell."""


@contextmanager
def serving(folder: Path) -> Iterator[GitServer]:
    """A repository with two commits, a branch and a tag, served on a free port; nothing is held back or asked for."""
    served = GitServer(folder)
    served.make()
    served.go.set()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"git": served}))
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        served.go.set()
        server.shutdown()
        thread.join(20)
        server.server_close()


@pytest.fixture
def git_server(tmp_path: Path, needed: object) -> Iterator[GitServer]:
    """`serving`, for one test."""
    assert callable(needed)
    needed("git", "git")
    with serving(tmp_path / "git") as server:
        yield server
