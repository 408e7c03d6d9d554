"""The image of SAC for tests, made by the repository's Dockerfile, without a registry and without a network.

SAC_TEST_SERVER_IMAGE names one that the cluster has already. Else it is built where the cluster's node finds it: on an
image of this machine's Python, with wheels that pip takes here as it takes any, so that the build needs no index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from kubernetes_cluster import IMAGE

ROOT = Path(__file__).parents[4]
_SOURCES = ("Dockerfile", ".dockerignore", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "src", "web")
_PLUGIN = Path("plugins/executors/kubernetes")
_LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "*.pyc")
_LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "librt.so.1", "libpthread.so.0", "libdl.so.2")
"""What wheels may need and an image of Python alone has not."""


@contextmanager
def server_image(folder: Path) -> Iterator[str]:
    """The name of an image of these sources, until the context is left."""
    given = os.environ.get("SAC_TEST_SERVER_IMAGE")
    if given:
        yield given
        return
    word = uuid4().hex[:8]
    base, image = f"sac-test/server-base:{word}", f"sac-test/server:{word}"
    wheels = _wheels(folder / "context" / "dist" / "wheels")
    try:
        _run("docker", "build", "--quiet", "--tag", base, str(_base(folder / "base", wheels)))
        options = ("--network=none", "--build-arg", f"BASE={base}", "--build-arg", "PIP_NO_INDEX=1")
        _run("docker", "build", "--quiet", "--tag", image, *options, str(_context(folder / "context")))
        yield image
    finally:
        _run("docker", "rmi", "--force", image, base)


def _wheels(folder: Path) -> Path:
    """All that the image has, and what builds SAC's own distributions, but not these: they are built there."""
    wanted = (f"{ROOT}[cli,postgres]", str(ROOT / _PLUGIN), "hatchling", "pip")
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(folder), *wanted)
    for own in folder.glob("sac_*.whl"):
        own.unlink()
    return folder


def _base(folder: Path, wheels: Path) -> Path:
    """An image of Python that has pip."""
    (pip,) = wheels.glob("pip-*.whl")
    with zipfile.ZipFile(pip) as packed:
        packed.extractall(folder / "packages")
    (folder / "libraries").mkdir()
    for name in _LIBRARIES:
        shutil.copy(_library(name), folder / "libraries" / name)
    place = Path(sysconfig.get_path("stdlib")) / "site-packages"
    steps = (f"FROM {IMAGE}", "COPY libraries /usr/lib", f"COPY packages {place}")
    (folder / "Dockerfile").write_text("\n".join(steps))
    return folder


def _library(name: str) -> Path:
    """Where the loader finds a library."""
    told = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    found = [line.rpartition("=> ")[2] for line in told.splitlines() if line.split()[:1] == [name]]
    return Path(found[0]).resolve()


def _context(folder: Path) -> Path:
    for name in (*_SOURCES, str(_PLUGIN)):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
