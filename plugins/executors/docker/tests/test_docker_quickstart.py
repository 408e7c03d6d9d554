"""The quick start of Docker, typed as it is written; and what `sac up` says of the engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SNIPPET = Path(__file__).resolve().parents[4] / "docs" / "snippets" / "docker.sh"
LIMIT = 240.0
pytestmark = pytest.mark.timeout(3 * LIMIT)


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which `sac` is on PATH and keeps to a data directory of its own; its server ends afterwards."""
    (tmp_path / "home").mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith("SAC_")}
    env |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(tmp_path / "home"),
        "SAC_DATA_DIR": str(tmp_path / "data"),
        "SAC_PORT": "0",
    }
    yield env
    subprocess.run([sys.executable, "-m", "sac_core", "down"], env=env, capture_output=True, timeout=LIMIT, check=False)


def with_image(image: str) -> str:
    """The setting with which agents that name no image get this one."""
    return json.dumps({"docker": {"image": image}})


def test_it_is_typed_as_it_stands(env: dict[str, str], tmp_path: Path, python_image: str) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    typed = {**env, "SAC_PLUGINS": with_image(python_image)}
    argv = ["sh", "-eu", str(SNIPPET)]
    done = subprocess.run(argv, cwd=folder, env=typed, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("agent/boxed", f"of a container, in {folder}", "docker", "isolated", "agent/boxed deleted"):
        assert words in done.stdout
    assert (folder / "from-the-container").stat().st_uid == os.getuid()


@contextmanager
def up(env: dict[str, str], said: Path) -> Iterator[str]:
    """What `sac up` says, until it is ended."""
    with said.open("wb") as output:
        argv = [sys.executable, "-m", "sac_core", "up"]
        server = subprocess.Popen(argv, env=env, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + LIMIT
        while "Ctrl-C" not in said.read_text():
            assert server.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        yield said.read_text()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(LIMIT)


def test_up_offers_docker_where_it_is_ready(env: dict[str, str], tmp_path: Path, python_image: str) -> None:
    with up(env | {"SAC_PLUGINS": with_image(python_image)}, tmp_path / "said") as said:
        assert "run in sandboxes of 'docker':\n    docker is ready; SAC_DEFAULT_EXECUTOR names another" in said


def test_up_says_what_is_missing_for_docker(env: dict[str, str], tmp_path: Path, engine: str) -> None:
    with up(env | {"SAC_PLUGINS": with_image("sac-test/missing:1")}, tmp_path / "said") as said:
        assert "run on 'process', which is no sandbox:\n    docker is not ready: sac-test/missing:1" in said
        assert "-> docker pull sac-test/missing:1" in said
    env["DOCKER_HOST"] = f"unix://{tmp_path}/none.sock"
    with up(env, tmp_path / "said") as said:
        assert "docker is not ready" in said
        assert "-> install Docker and start it" in said
    with up(env | {"SAC_DEFAULT_EXECUTOR": "process"}, tmp_path / "said") as said:
        assert "run on 'process', which is no sandbox:\n    SAC_DEFAULT_EXECUTOR says so" in said
