"""A real engine for tests, and images for it: nothing is pulled, a root file system is put together and imported.

Without an engine the tests are skipped, or fail when `docker` is in SAC_TEST_REQUIRE.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PYTHON_IMAGE = f"sac-test/python:{sys.version_info.major}.{sys.version_info.minor}"
PLAIN_IMAGE = "sac-test/busybox:1"
_PRINTENV = b'#!/bin/sh\nenv | grep -q "^$1=" && eval "printf \'%s\\\\n\' \\"\\$$1\\""\n'
_LEFT_OUT = {"test", "idlelib", "ensurepip", "tkinter", "lib2to3", "site-packages", "dist-packages", "__pycache__"}


def docker(*arguments: str, stdin: bytes | None = None, host: str | None = None) -> str:
    """Run the `docker` command, to the engine of ``host`` if there is one; raises with what it said."""
    env = os.environ | ({"DOCKER_HOST": host} if host else {})
    done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, timeout=100, check=False, env=env)
    if done.returncode != 0:
        raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout.decode().strip()


@pytest.fixture(scope="session")
def engine() -> str:
    """The version of the engine that answers."""
    try:
        return docker("version", "--format", "{{.Server.Version}}")
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        message = f"docker: no engine answers: {error}"
    if "docker" in os.environ.get("SAC_TEST_REQUIRE", "").split(","):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def python_image(engine: str) -> str:
    """An image with busybox and the Python that runs the tests."""
    return image_of(PYTHON_IMAGE, python=True)


@pytest.fixture(scope="session")
def other_image(engine: str) -> str:
    """An image that differs from the first by its name and its id alone."""
    return image_of(f"{PYTHON_IMAGE}-other", python=True, change="LABEL other=1")


@pytest.fixture(scope="session")
def plain_image(engine: str) -> str:
    """An image with busybox alone."""
    return image_of(PLAIN_IMAGE, python=False)


def image_of(name: str, *, python: bool, host: str | None = None, change: str = "LABEL test=1") -> str:
    """Have an image at an engine."""
    if not docker("images", "--quiet", name, host=host):
        docker("import", "--change", change, "-", name, stdin=_root(python), host=host)
    return name


def busybox() -> bytes:
    """The program with all small programs in it; needs no library."""
    return busybox_program().read_bytes()


def busybox_program() -> Path:
    """Where it is."""
    path = shutil.which("busybox", path="/bin:/usr/bin:/usr/local/bin")
    assert path is not None, "busybox-static is not installed"
    return Path(path)


def _root(python: bool) -> bytes:
    """The files of an image as a tar, each folder told: an engine may make one that is not, for root alone."""
    busybox = busybox_program()
    python_programs = _python_programs() if python else []
    shared = {library for program in (busybox, *python_programs) for library in _shared(program)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        _add_folders(tar, [*shared, *(_python_places() if python else ())])
        tar.add(busybox, "bin/busybox")
        printenv = tarfile.TarInfo("bin/printenv")
        printenv.size, printenv.mode = len(_PRINTENV), 0o755
        tar.addfile(printenv, io.BytesIO(_PRINTENV))
        listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
        for applet in set(listed) - {"busybox", "printenv"}:
            _link(tar, f"bin/{applet}", "busybox")
        if python:
            _add_python(tar)
        for library in sorted(shared):
            tar.add(library.resolve(), str(library).lstrip("/"))
    return buffer.getvalue()


def _add_folders(tar: tarfile.TarFile, files: list[Path]) -> None:
    above = {folder for file in files for folder in file.parents}
    folders = sorted({"/bin", "/etc", "/home", "/tmp", "/usr", "/usr/bin"} | set(map(str, above)) - {"/"})
    for folder in folders:
        entry = tarfile.TarInfo(folder.lstrip("/"))
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "/tmp" else 0o755
        tar.addfile(entry)


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _python_places() -> tuple[Path, Path]:
    """The interpreter and its library."""
    return Path(sys.executable).resolve(), Path(sysconfig.get_path("stdlib"))


def _python_programs() -> list[Path]:
    program, library = _python_places()
    return [program, *(library / "lib-dynload").glob("*.so")]


def _add_python(tar: tarfile.TarFile) -> None:
    """The interpreter at the place it has here, and its library."""
    program, library = _python_places()
    tar.add(program, str(program).lstrip("/"))
    tar.add(library, str(library).lstrip("/"), filter=_wanted)
    _link(tar, "usr/bin/python3", str(program))


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if _LEFT_OUT & set(entry.name.split("/")) or "config-" in entry.name else entry


def _shared(file: Path) -> Iterator[Path]:
    told = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False).stdout
    for word in told.split():
        if word.startswith("/") and Path(word).exists():
            yield Path(word)
