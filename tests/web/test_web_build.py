from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`web/build.py`, working on a small copy: its programs are scripts that the test writes."""
    spec = importlib.util.spec_from_file_location("console_build_under_test", WEB / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (web / "src" / "main.tsx").write_text("1")
    (web / "package-lock.json").write_text("{}")
    places = {"WEB": web, "ROOT": tmp_path, "STATIC": tmp_path / "static", "NODE": tmp_path / ".node"}
    for name, path in places.items():
        monkeypatch.setattr(module, name, path)
    monkeypatch.setattr(module.is_current, "__defaults__", (web, tmp_path / "static"))
    monkeypatch.setattr(module.digest, "__defaults__", (web,))
    return module


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program on a PATH that has nothing else of node."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/sbin")
    for needed in ("sh", "mkdir"):
        (programs / needed).symlink_to(str(shutil.which(needed, path="/bin:/usr/bin")))

    def write(name: str, script: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)

    return write


BUILDS = "case $1 in ci) mkdir -p node_modules;; run) mkdir -p ../static; echo built > ../static/index.html;; esac"


def test_builds_once_and_again_when_a_source_changes(
    console: ModuleType, on_path: Callable[[str, str], None], tmp_path: Path
) -> None:
    on_path("node", "echo v24.1.0")
    on_path("npm", BUILDS)
    assert console.build() is True
    assert console.build() is False
    (tmp_path / "web" / "src" / "main.tsx").write_text("2")
    assert console.build() is True


def test_builds_again_when_its_files_are_gone(
    console: ModuleType, on_path: Callable[[str, str], None], tmp_path: Path
) -> None:
    on_path("node", "echo v24.1.0")
    on_path("npm", BUILDS)
    console.build()
    (tmp_path / "static" / "index.html").unlink()
    assert console.build() is True


def test_a_failing_build_is_one_clear_error_and_is_not_taken_for_done(
    console: ModuleType, on_path: Callable[[str, str], None]
) -> None:
    on_path("node", "echo v22.12.0")
    on_path("npm", "echo 'no network here'; exit 7")
    with pytest.raises(console.BuildError, match=r"npm ci(?s:.*)failed with 7(?s:.*)no network here"):
        console.build()
    assert not console.is_current()


@pytest.mark.parametrize("version", ["v18.20.0", "v20.18.3", "nonsense"])
def test_an_old_node_on_path_is_not_used(
    console: ModuleType, on_path: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    on_path("node", f"echo {version}")
    on_path("npm", "exit 1")

    def fetch() -> None:
        programs = console.NODE / "bin"
        programs.mkdir(parents=True)
        for name in ("node", "npm"):
            (programs / name).write_text("#!/bin/sh\necho v24.0.0\n")
            (programs / name).chmod(0o755)

    monkeypatch.setattr(console, "_fetch_node", fetch)
    assert console.npm_environment()["PATH"].startswith(str(console.NODE / "bin"))


def test_without_any_node_it_is_fetched(
    console: ModuleType, on_path: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[bool] = []
    monkeypatch.setattr(console, "_fetch_node", lambda: fetched.append(True))
    with pytest.raises(console.BuildError, match="install node"):
        console.npm_environment()
    assert fetched == [True]


def test_the_lock_names_no_download_host() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_the_logic_of_the_console() -> None:
    path = f"{WEB.parent / '.node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    npm = shutil.which("npm", path=path)
    if npm is None or not (WEB / "node_modules" / "vite").is_dir():
        pytest.skip("npm or the console's packages are not here: cd web && npm ci --ignore-scripts")
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        [npm, "test", "--silent"], cwd=WEB, capture_output=True, text=True, timeout=100, env=environment
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
