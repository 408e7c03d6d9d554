"""Every snippet of the documentation runs as it stands, and the pages show it as it is."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple

import pytest

import sac_core
from git_server import GitServer
from live_server import LiveServer
from postgres_cluster import Cluster
from sac_core.hooks.loader import GROUP, load
from sac_core.settings import Settings
from sac_core.testing.fixtures import unused_port

SNIPPETS = Path(__file__).resolve().parents[2] / "docs" / "snippets"
DEADLINE = 60.0
DETACH = b"\x1dd"
PROMPT = re.compile(rb"[#$] (?:\x1b\[[0-9;?]*[a-zA-Z])*$")

SAYS: dict[str, tuple[str, ...]] = {
    "embed.py": ("Linux" if sys.platform == "linux" else "Darwin", "42"),
    "reattach.py": ("5", "[ended with 0]"),
    "try_plugin.py": ("42",),
    "record.py": ('"version": 2', "hello"),
    "connect.py": ("42",),
    "crash_sweep.py": ("faults struck",),
    "first_agent.sh": ("agent/demo", "Running", "hello", "not a sandbox", "agent/demo deleted"),
    "terminal.sh": ("agent/demo", "detached; come back", "agent/demo deleted"),
    "exec_status.sh": ("2", "hi from /", "exit status 3", "agent/demo deleted"),
    "http_api.sh": ('"phase":"Pending"', "agent/demo", '"kind":"AgentList"'),
    "replay.sh": ("session/", "PHASE", "hello", "bye", "demo.cast written", "agent/demo deleted"),
    "main_process.sh": ("1", "2", "3", "agent/ticker deleted"),
    "ports.sh": ("/.sac/#code=sac_port_", "Directory listing for /", "agent/site deleted"),
    "secrets.sh": ("github", "value", "16", "the variable is there", "secret/github deleted"),
    "targets.sh": ("target/fast is Ready", "disk=ssd", "process go to target fast", "target/fast deleted"),
    "copy.sh": ("15 src/hello.py", "a note", "./hello.py", "agent/demo deleted"),
    "files.py": ("3", "2", "1"),
    "backup.sh": ("The server has ended", "./sac.db", "agent/demo"),
}
"""What a snippet must have said. Those that are served or imported have tests of their own."""

NEEDS_SERVER = frozenset({"connect.py", "http_api.sh", "main_process.sh", "ports.sh", "secrets.sh"})
OWN_TESTS = frozenset(
    {
        "claude_code.sh",
        "converse.py",
        "docker.sh",
        "kubernetes.yaml",
        "pod_template.yaml",
        "two_servers.sh",
        "mount.py",
        "own_users.py",
        "sac_agent_repl.py",
        "plugin.toml",
        "workspace.sh",
    }
)


class Place(NamedTuple):
    """Where a snippet runs: an empty folder, and an environment of its own."""

    folder: Path
    env: dict[str, str]


@pytest.fixture
def place(tmp_path: Path, settings: Settings) -> Place:
    """A folder, and the data directory of `settings`, in which what a snippet leaves running is ended."""
    folder = tmp_path / "work"
    assert settings.token is not None
    folder.mkdir()
    (tmp_path / "home").mkdir()
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PYTHONPATH": str(SNIPPETS),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAC_DATA_DIR": str(settings.data_dir),
        "SAC_TOKEN": settings.token.get_secret_value(),
        "SAC_PORT": "0",
    }
    return Place(folder, env)


@pytest.fixture
def served(place: Place) -> Iterator[Place]:
    """The same with a server, whose address and token are in the environment."""
    port = unused_port()
    env = {**place.env, "SAC_PORT": str(port), "SAC_SERVER": f"http://127.0.0.1:{port}"}
    with _process([sys.executable, "-m", "sac_core", "up"], Place(place.folder, env), says="SAC is ready"):
        yield Place(place.folder, env)


class _process:
    """A process for as long as the context lasts, once it has said something."""

    def __init__(self, command: list[str], place: Place, *, says: str) -> None:
        self._says = says
        self._log = place.folder.parent / "process.log"
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(command, cwd=place.folder, env=place.env, stdout=log, stderr=log)

    def __enter__(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while self._says not in self._log.read_text():
            assert self._child.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        self._child.wait(DEADLINE)


def run_in_terminal(command: list[str], place: Place, *, keys: bytes) -> tuple[int, str]:
    """Run a command in a terminal, typing ``keys`` at every prompt; its exit status and all that it showed."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command, cwd=place.folder, env=place.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b"".join(_conversation(ours, keys))
    os.close(ours)
    return child.wait(DEADLINE), shown.decode(errors="replace")


def _conversation(terminal: int, keys: bytes) -> Iterator[bytes]:
    deadline, line = time.monotonic() + DEADLINE, b""
    while select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # nobody holds the other side any more
            return
        if not data:
            return
        yield data
        line = (line + data)[-200:]
        if PROMPT.search(line):
            os.write(terminal, keys)
            line = b""
    pytest.fail(f"it did not end within {DEADLINE:g} s")


def _need_curl() -> None:
    if shutil.which("curl") is None:
        missing = pytest.fail if "programs" in os.environ.get("SAC_TEST_REQUIRE", "").split(",") else pytest.skip
        missing("programs: curl is not installed")


@pytest.mark.parametrize("name", sorted(SAYS))
def test_a_snippet_runs_as_it_stands(name: str, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue("served" if name in NEEDS_SERVER else "place")
    if "curl" in (SNIPPETS / name).read_text():
        _need_curl()
    runner = [sys.executable] if name.endswith(".py") else ["sh", "-eu"]
    status, shown = run_in_terminal([*runner, str(SNIPPETS / name)], place, keys=DETACH)
    assert status == 0, shown
    missing = [text for text in SAYS[name] if text not in shown]
    assert not missing, shown


def test_a_workspace_is_prepared_as_it_stands(place: Place, git_server: GitServer) -> None:
    ours, shown = git_server.url.removesuffix("team/project.git").removesuffix("project.git"), "git.example.org/team/"
    (place.folder.parent / "home" / ".gitconfig").write_text(f'[url "{ours}"]\n insteadOf = https://{shown}\n')
    code, said = run_in_terminal(["bash", "-e", str(SNIPPETS / "workspace.sh")], place, keys=b"")
    assert code == 0, said
    for text in ("first", "Run the tests", "whole change", "WorkspaceCloned", "SkillsPlaced: it is done", "deleted"):
        assert text in said


def test_two_servers_serve_one_database(place: Place, postgres: Cluster) -> None:
    place.env["SAC_DATABASE"] = postgres.database()
    try:
        status, shown = run_in_terminal(["sh", "-eu", str(SNIPPETS / "two_servers.sh")], place, keys=DETACH)
    finally:
        for folder in ("one", "two", "bodies"):
            LiveServer(place.folder / folder).end()
    assert status == 0, shown
    assert "told by the second" in shown
    assert "agent/demo deleted" in shown
    assert shown.count("The server has ended") == 2, shown


def test_embedding_and_connecting_are_the_same_lines() -> None:
    embedded = (SNIPPETS / "embed.py").read_text().splitlines()
    connected = (SNIPPETS / "connect.py").read_text().splitlines()
    assert [line for line in connected if line not in embedded] == [
        "import os",
        '    async with sac_core.connect(os.environ["SAC_SERVER"], os.environ["SAC_TOKEN"]) as sac:',
    ]
    assert [line for line in embedded if line not in connected] == ["    async with sac_core.open() as sac:"]


async def test_the_mounted_app_serves_sac_below_its_prefix(place: Place) -> None:
    port = unused_port()
    command = [sys.executable, "-m", "uvicorn", "mount:app", "--port", str(port)]
    with _process(command, place, says="Uvicorn running on"):
        async with sac_core.connect(f"http://127.0.0.1:{port}/sac", place.env["SAC_TOKEN"]) as sac:
            await sac.agents.create("inside", {"runtime": "shell"})
            assert (await sac.agents.wait("inside", timeout=30)).status.phase == "Running"
            await sac.agents.delete("inside")
            await sac.agents.wait("inside", "absent", timeout=30)


async def test_a_service_brings_its_own_users(place: Place) -> None:
    port = unused_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "own_users:make_app", "--port", str(port)]
    with _process(command, place, says="Uvicorn running on"):
        async with sac_core.connect(f"http://127.0.0.1:{port}", "ann-s-token-of-your-own") as sac:
            created = await sac.agents.create("hers")
            assert (created.metadata.namespace, created.metadata.owner) == ("ann", "user:ann")
            await sac.agents.delete("hers")
            await sac.agents.wait("hers", "absent", timeout=30)
        with pytest.raises(sac_core.SacError):
            async with sac_core.connect(f"http://127.0.0.1:{port}", place.env["SAC_TOKEN"]):
                pass


def test_the_plugin_is_found_by_the_entry_point_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((SNIPPETS / "plugin.toml").read_text())["project"]
    assert set(project["entry-points"]) == {GROUP}
    (name, value), *_ = project["entry-points"][GROUP].items()
    monkeypatch.syspath_prepend(str(SNIPPETS))
    registry = load(extra=[(name, EntryPoint(name, value, GROUP).load())])
    assert registry.runtime("repl").summary == "A Python prompt."
    assert project["name"] == f"sac-agent-{name}"


def test_every_snippet_is_run() -> None:
    found = {file.name for file in SNIPPETS.iterdir() if file.is_file() and not file.name.startswith("cabin_")}
    assert found == set(SAYS) | OWN_TESTS  # the others are those of the tutorial, which has a test of its own
