"""A base image on which Claude Code runs, put together from files of this machine: nothing is pulled.

Without an engine, or without the executor for it, the tests are skipped, or fail when `docker` is in SAC_TEST_REQUIRE.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

from docker_engine import docker

BASE = "sac-test/claude-base:1"


@pytest.fixture(scope="session")
def base_image(engine: str, python_image: str, claude: str) -> str:
    """Busybox, Python, bash, and the shared libraries that the program needs."""
    if find_spec("sac_executor_docker") is None:
        message = "docker: sac-executor-docker is not installed"
        if "docker" in os.environ.get("SAC_TEST_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    if not docker("images", "--quiet", BASE):
        name = f"sac-test-{uuid4().hex[:8]}"
        docker("create", "--name", name, python_image, "none")
        try:
            docker("cp", "-", f"{name}:/", stdin=_more(claude))
            docker("commit", name, BASE)
        finally:
            docker("rm", name)
    return BASE


def _more(claude: str) -> bytes:
    bash = shutil.which("bash")
    assert bash is not None, "bash is not installed"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(Path(bash).resolve(), "bin/bash")
        for library in sorted({*_shared(claude), *_shared(bash)}):
            tar.add(library.resolve(), str(library).lstrip("/"))
    return buffer.getvalue()


def _shared(program: str) -> Iterator[Path]:
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for word in told.split():
        if word.startswith("/") and Path(word).exists():
            yield Path(word)
