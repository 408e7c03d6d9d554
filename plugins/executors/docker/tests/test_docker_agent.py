"""An agent in a container from beginning to end, through SAC: its terminal, its folder, restarts, stop, delete."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from docker_engine import docker
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.errors import LaunchError
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_core.wire.terminal import Output
from sac_executor_docker import plugin


@asynccontextmanager
async def server(data: Path, image: str) -> AsyncIterator[Sac]:
    """SAC on a data directory, with this executor and no other plugins than its own."""
    settings = Settings(data_dir=data, plugins={"docker": {"image": image}}, resync=2.0)
    plugins = [] if installed() else [("docker", plugin)]
    async with open_core(settings, plugins=plugins) as core:
        yield core.sac(LOCAL)


def installed() -> bool:
    from importlib.metadata import entry_points

    return bool(entry_points(group="sac", name="docker"))


async def typed(sac: Sac, session: str, line: str, wanted: bytes) -> None:
    """Type a line, and read until the terminal shows what is wanted."""
    seen = b""
    async with sac.sessions.attach(session) as terminal:
        await terminal.write(line.encode() + b"\n")
        async for event in terminal:
            seen += event.data if isinstance(event, Output) else b""
            if wanted in seen:
                return
    raise AssertionError(f"{wanted!r} is not in {seen!r}")


async def test_a_terminal_outlives_sac_and_control_c_reaches_it(tmp_path: Path, python_image: str) -> None:
    async with server(tmp_path / "data", python_image) as sac:
        await sac.agents.create("box", {"executor": "docker"})
        await sac.agents.wait("box", timeout=60)
        session = (await sac.sessions.create("box")).metadata.name
        await typed(sac, session, "kept=4; echo is$((40 + 2)); sleep 600", b"is42")
    async with server(tmp_path / "data", python_image) as sac:
        await typed(sac, session, "\x03echo st$?-$kept", b"st130-4")
        assert (await sac.exec("box", ["sh", "-c", "echo out; echo err >&2; exit 3"])).code == 3
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)


async def test_a_folder_of_the_caller_is_mounted_as_the_caller(tmp_path: Path, python_image: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    async with server(tmp_path / "data", python_image) as sac:
        await sac.agents.create("box", {"executor": "docker", "workspace": {"folder": str(folder)}})
        await sac.agents.wait("box", timeout=60)
        assert (await sac.exec("box", ["sh", "-c", "pwd > made"])).code == 0
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)
    assert (folder / "made").read_text() == f"{folder}\n"
    assert (folder / "made").stat().st_uid == os.getuid()


async def test_stop_keeps_the_workspace_and_delete_removes_it(tmp_path: Path, python_image: str) -> None:
    async with server(tmp_path / "data", python_image) as sac:
        agent = await sac.agents.create("box", {"executor": "docker"})
        await sac.agents.wait("box", timeout=60)
        await sac.exec("box", ["sh", "-c", "echo mine > notes; echo home > ~/home"])
        await sac.agents.stop("box")
        await sac.agents.wait("box", "Stopped", timeout=60)
        await sac.agents.start("box")
        await sac.agents.wait("box", timeout=60)
        assert (await sac.exec("box", ["sh", "-c", "cat notes ~/home"])).stdout == "mine\nhome\n"
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)
    label = f"label=sac/uid={agent.metadata.uid}"
    assert not docker("ps", "--all", "--quiet", "--filter", label)
    assert not docker("volume", "ls", "--quiet", "--filter", label)


async def test_a_delete_may_leave_the_volumes_and_nothing_else(tmp_path: Path, python_image: str) -> None:
    async with server(tmp_path / "data", python_image) as sac:
        agent = await sac.agents.create("box", {"executor": "docker", "options": {"volumes": {"data": "/data"}}})
        await sac.agents.wait("box", timeout=60)
        owner = docker("ps", "--filter", f"label=sac/uid={agent.metadata.uid}", "--format", '{{.Label "sac/owner"}}')
        await sac.exec("box", ["sh", "-c", "echo mine > notes"])
        await sac.agents.delete("box", keep_volumes=True)
        await sac.agents.wait("box", "absent", timeout=60)
        kept = (await sac.agents.timeline(agent.metadata.uid)).items[-1].details["kept"]
    uid, owned = f"label=sac/uid={agent.metadata.uid}", f"label=sac/owner={owner}"
    volumes = docker("volume", "ls", "--quiet", "--filter", uid).split()
    try:
        assert kept == f"its volumes are kept: {', '.join(sorted(volumes))}"
        assert len(volumes) == 2
        assert not docker("ps", "--all", "--quiet", "--filter", owned)
        assert not docker("network", "ls", "--quiet", "--filter", owned)
        mounts = [option for volume in volumes for option in ("--volume", f"{volume}:/kept/{volume}")]
        search = ["find", "/kept", "-name", "notes", "-exec", "cat", "{}", ";"]
        assert docker("run", "--rm", *mounts, python_image, *search) == "mine"
    finally:
        docker("volume", "rm", *volumes)


async def test_an_image_without_python_has_terminals_and_commands(tmp_path: Path, plain_image: str) -> None:
    async with server(tmp_path / "data", plain_image) as sac:
        await sac.agents.create("main", {"executor": "docker", "command": ["sleep", "600"]})
        with pytest.raises(LaunchError, match=r"spec\.command.*no Python"):
            await sac.agents.wait("main", timeout=60)
        await sac.agents.create("box", {"executor": "docker"})
        await sac.agents.wait("box", timeout=60)
        done = await sac.exec("box", ["sh", "-c", "echo out; echo err >&2; exit 4"])
        assert (done.code, done.stdout, done.stderr) == (4, "out\n", "err\n")
        await typed(sac, (await sac.sessions.create("box")).metadata.name, "echo is$((40 + 2))", b"is42")
        for name in ("main", "box"):
            await sac.agents.delete(name)
            await sac.agents.wait(name, "absent", timeout=60)


async def test_a_container_removed_behind_our_back_is_made_again(tmp_path: Path, python_image: str) -> None:
    async with server(tmp_path / "data", python_image) as sac:
        agent = await sac.agents.create("box", {"executor": "docker"})
        await sac.agents.wait("box", timeout=60)
        label = f"label=sac/uid={agent.metadata.uid}"
        first = docker("ps", "--quiet", "--filter", label)
        docker("rm", "--force", first)

        def another() -> bool:
            return docker("ps", "--quiet", "--filter", label) not in ("", first)

        await eventually(another, 60)
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)
