"""The real program in a container of a real engine: its image is built here, its model is a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from certificate import certificate
from docker_engine import docker
from model_endpoint import endpoint, text, tool_use
from sac_agent_claude_code import runtime
from sac_agent_claude_code.image import RECIPE
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.models.conversation import Completed, Decision, Event, Permission, Text
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.wire.terminal import Output

pytestmark = pytest.mark.timeout(900)
LIMIT = 300.0
KEY = "sk-ant-api03-" + "Ab1_" * 10
BASH = tool_use("toolu_1", "Bash", command="echo made > made.txt; echo said", description="make a file")
EDIT = tool_use("toolu_3", "Edit", file_path="{work}/made.txt", old_string="made", new_string="changed")
READ = tool_use("toolu_2", "Read", file_path="{work}/made.txt")


@pytest.fixture(scope="module")
def image(base_image: str) -> Iterator[str]:
    """Built by the first test that needs it, as a user's is, and kept for the others; it is none of a user's."""
    recipe = RECIPE.model_copy(update={"name": f"test-{uuid4().hex[:8]}"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "RECIPE", recipe)
        yield recipe.image
    if docker("images", "--quiet", recipe.image):
        docker("rmi", "--force", recipe.image)


@asynccontextmanager
async def server(data: Path, base: str) -> AsyncIterator[Sac]:
    """SAC on a data directory; what runs goes on when it ends."""
    settings = Settings(data_dir=data, plugins={"docker": {"image": base}}, resync=2.0)
    async with open_core(settings) as core:
        yield core.sac(LOCAL)


@pytest.fixture
async def sac(
    tmp_path: Path, home: Path, image: str, base_image: str, claude: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sac]:
    monkeypatch.setenv("PATH", f"{Path(claude).parent}:{os.environ['PATH']}")
    async with server(tmp_path / "data", base_image) as sac:
        yield sac
        await end_all(sac)


async def end_all(sac: Sac) -> None:
    for agent in (await sac.agents.list()).items:
        await sac.agents.delete(agent.metadata.name)
        await sac.agents.wait(agent.metadata.name, "absent", timeout=LIMIT)


def gateway() -> str:
    """The address under which containers reach this machine."""
    return docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")


async def agent(sac: Sac, url: str, **spec: Any) -> None:
    """The agent a1 in a container, running."""
    await sac.secrets.put("model", KEY)
    models = {"model": "opus", "models": {"opus": "opus-9-9"}}
    options = {"apiKey": "model", "baseUrl": url, "permissionMode": "default", **models}
    given = {
        **spec,
        "env": {"CLAUDE_CODE_MAX_RETRIES": "1", **spec.get("env", {})},
        "runtime": "claude-code",
        "executor": "docker",
        "runtimeOptions": options,
        "startTimeout": LIMIT,
    }
    await sac.agents.create("a1", given)
    await sac.agents.wait("a1", timeout=LIMIT)


def inside(work: str, *script: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """A script whose files are those of a workspace."""

    def placed(value: Any) -> Any:
        return value.replace("{work}", work) if isinstance(value, str) else value

    return [
        [
            {**block, "input": {k: placed(v) for k, v in block["input"].items()}} if "input" in block else block
            for block in answer
        ]
        for answer in script
    ]


async def turn(sac: Sac, said: str) -> list[Event]:
    """A turn in which everything is allowed."""
    events: list[Event] = []
    with anyio.fail_after(LIMIT):
        async with sac.agents.converse("a1") as talk:
            async for event in talk.send(said):
                events.append(event)
                if isinstance(event, Permission):
                    await talk.answer(event.request, Decision(allow=True))
    return events


def words(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


async def test_a_turn_uses_a_shell_and_edits_a_file_in_the_container(sac: Sac, image: str) -> None:
    script = inside("/agent/work", [text("First the file."), BASH], [READ], [EDIT], [text("It is changed.")])
    with endpoint(*script, host="0.0.0.0") as model:
        await agent(sac, f"http://{gateway()}:{model.port}")
        assert (await sac.exec("a1", ["claude", "--version"])).stdout.strip() == version(image)
        events = await turn(sac, "make a file and change it")
    assert (words(events), events[-1]) == ("First the file.It is changed.", Completed(outcome="done"))
    assert (await sac.exec("a1", ["cat", "made.txt"])).stdout == "changed\n"
    about = (await sac.agents.get("a1")).status
    assert (about.executor, about.isolated) == ("docker", True)


def version(image: str) -> str:
    return docker("inspect", "--format", '{{index .Config.Labels "sac/image.version"}}', image)


async def test_the_callers_folder_and_a_terminal(sac: Sac, folder: Path) -> None:
    with endpoint([BASH], [text("It is made.")], host="0.0.0.0") as model:
        await agent(sac, f"http://{gateway()}:{model.port}", workspace={"folder": str(folder)})
        session = (await sac.sessions.create("a1", tty=(100, 30))).metadata.name
        await shows(sac, session, b"opus-9-9")  # it is ready, without a question before that
        await turn(sac, "make a file")
    assert (folder / "made.txt").read_text() == "made\n"
    assert (folder / "made.txt").stat().st_uid == os.getuid()


async def shows(sac: Sac, session: str, wanted: bytes) -> None:
    seen = b""
    with anyio.fail_after(LIMIT):
        async with sac.sessions.attach(session) as terminal:
            async for event in terminal:
                seen += event.data if isinstance(event, Output) else b""
                if wanted in seen:
                    return
    raise AssertionError(f"{wanted!r} is not in {seen!r}")


async def test_without_a_network_it_reaches_its_model_and_nothing_else(sac: Sac) -> None:
    with endpoint([BASH], [text("It is made.")]) as model:  # on this machine's loopback, where no container comes
        await agent(sac, model.url, egress={"mode": "none"})
        events = await turn(sac, "make a file")
        assert (words(events), events[-1]) == ("It is made.", Completed(outcome="done"))
        assert (await sac.exec("a1", ["cat", "made.txt"])).stdout == "made\n"
        assert networks(await sac.agents.get("a1")) == "none"
        devices = (await sac.exec("a1", ["cat", "/proc/net/dev"])).stdout
        assert [line.split(":")[0].strip() for line in devices.splitlines()[2:]] == ["lo"]


async def test_what_goes_to_the_model_is_encrypted_in_the_container_already(sac: Sac, folder: Path) -> None:
    tls, trusted = certificate("localhost", folder)
    with endpoint([text("Nobody else heard that.")], tls=tls) as model:
        where = {"workspace": {"folder": str(folder)}, "env": {"NODE_EXTRA_CA_CERTS": str(trusted)}}
        await agent(sac, f"https://localhost:{model.port}", egress={"mode": "none"}, **where)
        assert words(await turn(sac, "a secret")) == "Nobody else heard that."


def networks(agent: Any) -> str:
    container = docker("ps", "--quiet", "--filter", f"label=sac/uid={agent.metadata.uid}")
    return docker("inspect", "--format", "{{.HostConfig.NetworkMode}}", container)


async def test_the_way_to_the_model_is_there_again_after_a_restart_of_sac(
    tmp_path: Path, home: Path, image: str, base_image: str, claude: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(claude).parent}:{os.environ['PATH']}")
    with endpoint([text("Before.")], [text("After.")]) as model:
        async with server(tmp_path / "data", base_image) as sac:
            await agent(sac, model.url, egress={"mode": "none"})
            assert words(await turn(sac, "once")) == "Before."
        async with server(tmp_path / "data", base_image) as sac:
            await sac.agents.wait("a1", timeout=LIMIT)
            assert words(await turn(sac, "again")) == "After."
            await end_all(sac)


def test_as_it_is_typed(
    tmp_path: Path, home: Path, folder: Path, base_image: str, claude: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = f"sac-test/claude-{uuid4().hex[:8]}:1"
    monkeypatch.setenv("PATH", f"{Path(claude).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SAC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SAC_PLUGINS", json.dumps({"docker": {"image": base_image}}))
    try:
        assert typed("image", "build", "claude-code", "--tag", tag) == f"{tag} is built on docker\n"
        with endpoint([BASH], [text("It is made.")]) as model:
            typed("secrets", "put", "model", given=KEY)
            options = ("--option", "apiKey=model", "--option", f"baseUrl={model.url}")
            where = ("--executor", "docker", "--image", tag, "--egress", "none")
            typed("run", "claude-code", str(folder), "--name", "coder", *where, *options, "--detach")
            assert typed("ask", "coder", "make it", "--yes") == "It is made.\n"
        assert (folder / "made.txt").read_text() == "made\n"
        typed("delete", "coder")
    finally:
        typed("down")
        if docker("images", "--quiet", tag):
            docker("rmi", "--force", tag)


def typed(*arguments: str, given: str | None = None) -> str:
    """What `sac` prints."""
    argv = [sys.executable, "-m", "sac_core", *arguments]
    done = subprocess.run(argv, input=given or "", capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
