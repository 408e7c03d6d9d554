"""What must hold before a change is done. `make test` runs the first four in .venv; `nox` gives each its own."""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "layers", "tests"]
nox.options.reuse_existing_virtualenvs = True

PLUGINS = sorted(file.parent for file in Path("plugins").glob("*/*/pyproject.toml"))
"""Distributions of their own: each has its settings of mypy and pytest, and is checked in its folder."""
PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, group: str) -> None:
    """SAC, its plugins and a group of libraries; nothing under --no-venv, where they are there already."""
    if session.virtualenv.is_sandboxed:
        editable = [part for folder in (".[cli]", *PLUGINS) for part in ("--editable", str(folder))]
        session.install(*editable, *nox.project.dependency_groups(PROJECT, group))


@nox.session
def lint(session: nox.Session) -> None:
    """Style and form."""
    install(session, "test")
    session.run("ruff", "check", "--quiet", ".")
    session.run("ruff", "format", "--quiet", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    install(session, "test")
    session.run("mypy")
    for folder in PLUGINS:
        with session.chdir(folder):
            session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Who may import whom."""
    install(session, "test")
    session.run("lint-imports", "--no-cache", silent=True)


@nox.session
def tests(session: nox.Session) -> None:
    """The tests. SAC_TEST_REQUIRE=browser,programs,postgres,docker,claude,kubernetes: what is missing fails."""
    install(session, "test")
    # a file stays whole, for its servers; most tests wait for something, so there are more workers than cores
    session.run("pytest", "--quiet", "--numprocesses=4", "--dist=loadfile", *session.posargs)
    for folder in () if session.posargs else PLUGINS:
        with session.chdir(folder):
            # those of docker and kubernetes wait for the engine; the others have servers that a file shares
            waiting = folder.name in ("docker", "kubernetes")
            workers = ["--numprocesses=3"] if waiting else ["--numprocesses=4", "--dist=loadfile"]
            session.run("pytest", "--quiet", *workers)


@nox.session
def sweep(session: nox.Session) -> None:
    """The whole crash sweep, of which the tests play a part: about half an hour, and as long again with a cluster."""
    install(session, "test")
    session.run("pytest", "--quiet", "tests/service/test_service_crashes.py", env={"SAC_TEST_SWEEP": "1"})
    for executor in ("docker", "kubernetes"):
        with session.chdir(f"plugins/executors/{executor}"):
            session.run("pytest", "--quiet", env={"SAC_TEST_SWEEP": "1"})


@nox.session
def soak(session: nox.Session) -> None:
    """10,000 random operations on real bodies and a server that is killed: --seed, --operations, --database."""
    install(session, "test")
    session.run("python", "tests/soak_run.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, with every broken link an error."""
    install(session, "docs")
    session.run("mkdocs", "build", "--quiet", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)
