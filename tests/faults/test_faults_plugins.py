"""A server with a folder full of broken plugins, installed as distributions: it serves, tells of each, and stops."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from live_server import LiveServer

RUNTIME = """
from sac_core.builtin.shell import ShellRuntime
from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin

@hookimpl
def sac_runtimes():
    return [RuntimePlugin(name="{name}", summary="A runtime", make=ShellRuntime, api={api})]
"""
PLUGINS = {
    "fine": RUNTIME.format(name="fine", api=1),
    "chatty": "print('noise')\n" + RUNTIME.format(name="chatty", api=1),
    "future": RUNTIME.format(name="future", api=99),
    "twin1": RUNTIME.format(name="twin", api=1),
    "twin2": RUNTIME.format(name="twin", api=1),
    "broken": "import no_such_vendor\n",
    "quitter": "import sys\nsys.exit(7)\n",
    "eager": RUNTIME.format(name="eager", api=1).replace("def sac", "async def sac"),
    "shout": RUNTIME.format(name="NOT A NAME", api=1),
}
FAILED = {
    "future": "it was made for version 99 of the contracts, this is 1",
    "twin": "offered by sac-agent-twin1 2.5.1 and by sac-agent-twin2 2.5.1: neither is used; uninstall one of them",
    "broken": "ModuleNotFoundError: No module named 'no_such_vendor'",
    "quitter": "SystemExit: 7",
    "eager": "ConfigurationError: hook sac_runtimes is async; hooks are plain functions that only offer or are told",
    "NOT A NAME": "'NOT A NAME' is not a name: use 1 to 63 lower-case letters, digits and '-', starting and ending",
}


def install(site: Path, name: str, text: str) -> None:
    """As pip leaves it."""
    (site / f"sac_agent_{name}.py").write_text(text)
    info = site / f"sac_agent_{name}-2.5.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: sac-agent-{name}\nVersion: 2.5.1\n")
    (info / "entry_points.txt").write_text(f"[sac]\n{name} = sac_agent_{name}\n")


@pytest.fixture
async def plagued(tmp_path: Path) -> AsyncIterator[LiveServer]:
    """A server that finds all of them."""
    site = tmp_path / "site"
    site.mkdir()
    for name, text in PLUGINS.items():
        install(site, name, text)
    server = LiveServer(tmp_path / "data")
    server.env["PYTHONPATH"] = str(site)
    try:
        await server.start()
        yield server
    finally:
        server.end()


async def test_every_broken_plugin_is_told_and_the_others_work(plagued: LiveServer) -> None:
    done = await plagued.run("plugins")
    told = done.stdout.decode()
    assert done.returncode == 1
    lines = {line[: line.index("  ")]: line for line in told.splitlines()}
    for name, why in FAILED.items():
        assert " failed " in lines[name]
        assert why in lines[name]
    for name in ("fine", "chatty", "shell", "process"):
        assert " loaded " in lines[name]
    assert "sac-agent-fine 2.5.1" in lines["fine"]
    async with plagued.client() as sac:
        await sac.agents.create("a1", {"runtime": "fine"})
        assert (await sac.agents.wait("a1", timeout=20)).status.phase == "Running"
    assert "noise" not in plagued.said.replace("prints at its import: noise", "")
    assert plagued.stop(signal.SIGTERM) == 0
