"""The engine that is measured: the `docker` command for it, the images, and what the benchmarks leave there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from uuid import uuid4

from benchmarks.figures import Missing

_IMAGES = "python:3.13-slim,busybox:1"
_LABEL = "sac-bench"
_PATIENCE = 600
WAITS = ("tail", "-f", "/dev/null")
"""What containers run that shall only be there."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers. ``python`` and ``plain`` are images there; ``network`` is the peers' own."""

    socket: str
    python: str
    plain: str
    network: str

    def run(self, image: str) -> subprocess.Popen[bytes]:
        """`docker run -d`, begun."""
        command = [
            "docker",
            "run",
            "--detach",
            "--label",
            f"{_LABEL}={self.network}",
            "--network",
            self.network,
            image,
            *WAITS,
        ]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def clear(self) -> None:
        """Remove the containers that `run` has made."""
        found = docker("ps", "--all", "--quiet", "--filter", f"label={_LABEL}={self.network}").split()
        if found:
            docker("rm", "--force", *found)

    def container(self, uid: str) -> str:
        """The container of an agent's body."""
        return docker("ps", "--quiet", "--no-trunc", "--filter", f"label=sac/uid={uid}")


def docker(*arguments: str) -> str:
    """What the `docker` command says; raises `RuntimeError` with its complaint."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"docker {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def open_engine() -> Iterator[Engine]:
    """The engine of DOCKER_HOST, or the usual one; raises `Missing` with what is to be done when there is none."""
    socket = _socket()
    python, plain = map(_have, os.environ.get("SAC_BENCH_IMAGES", _IMAGES).split(","))
    network = f"sac-bench-{uuid4().hex[:8]}"
    docker("network", "create", network)
    engine = Engine(socket, python, plain, network)
    try:
        yield engine
    finally:
        engine.clear()
        docker("network", "rm", network)


def _socket() -> str:
    """The unix socket of an engine that answers to SAC and to the command."""
    if not entry_points(group="sac", name="docker"):
        raise Missing("sac-executor-docker is not installed: make bench installs it")
    if shutil.which("docker") is None:
        raise Missing("there is no `docker` command: install the one of Docker")
    scheme, _, path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")
    if scheme != "unix":
        raise Missing("DOCKER_HOST must be a unix socket: what is compared must not wait for a network")
    try:
        docker("version")
    except RuntimeError as error:
        raise Missing(f"no engine answers: {error}; start one, or set DOCKER_HOST") from None
    return path


def _have(image: str) -> str:
    """An image that is there, pulled if it was not."""
    if not docker("images", "--quiet", image):
        try:
            docker("pull", image)
        except RuntimeError as error:
            raise Missing(f"{error}; name images that are there: SAC_BENCH_IMAGES=WITH_PYTHON,WITHOUT") from None
    return image
