"""kill -9 of the server while a workspace is prepared: the clone goes on, is found again, and is made once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio
import pytest

from git_server import GitServer
from live_server import until
from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from live_server import LiveServer

CANARY = "canary-of-git"
SKILLS = [{"name": f"skill-{number}", "text": f"{number}\n"} for number in range(20)]
MAIN = "cat README.md AGENTS.md skills/*/SKILL.md >> seen; exec sleep 3600"
SEEN = "second\nbe kind\n" + "".join(sorted((skill["text"] for skill in SKILLS), key=lambda text: f"{text.strip()}/"))
SEEDS = [1, 2]


def spec(git_server: GitServer) -> dict[str, object]:
    git = {"url": git_server.url, "secret": "login"}
    main = ["sh", "-c", MAIN]
    return {"workspace": {"git": git}, "instructions": "be kind\n", "skills": SKILLS, "command": main}


async def create(sac: HttpSac, git_server: GitServer) -> None:
    git_server.password = CANARY
    await sac.secrets.put("login", {"username": "ann", "password": CANARY})
    await sac.agents.create("a1", spec(git_server))


async def seen(sac: HttpSac) -> str:
    return (await sac.exec("a1", ["cat", "seen"])).stdout


def asked_for_data(git_server: GitServer) -> int:
    return sum(path.endswith("/git-upload-pack") for path, _ in git_server.requests)


async def test_a_clone_goes_on_while_there_is_no_server(live: LiveServer, git_server: GitServer) -> None:
    git_server.go.clear()
    async with live.client() as sac:
        await create(sac, git_server)

        async def begun() -> bool:
            return asked_for_data(git_server) == 1

        await until(begun)
        live.kill()
    git_server.go.set()

    async def cloned() -> bool:
        return any(live.folder.rglob("work/.git/sac-cloned"))

    await until(cloned)
    asked = len(git_server.requests)
    await live.start()
    async with live.client() as sac:
        agent = await sac.agents.wait("a1", timeout=30)
        assert agent.status.restarts == 0
        assert sorted(await seen(sac)) == sorted(SEEN)
        assert len(git_server.requests) == asked


@pytest.mark.parametrize("seed", SEEDS)
async def test_kills_at_any_moment_leave_one_whole_workspace(
    live: LiveServer, git_server: GitServer, seed: int
) -> None:
    chance = random.Random(seed)
    async with live.client() as sac:
        await create(sac, git_server)
    for _ in range(4):
        await anyio.sleep(chance.uniform(0, 0.4))  # the moment of the kill is what varies
        await live.restart()
    async with live.client() as sac:
        agent = await sac.agents.wait("a1", timeout=30)
        conditions = {one.type: one.status for one in agent.status.conditions}
        assert [conditions[type] for type in ("WorkspaceCloned", "InstructionsPlaced", "SkillsPlaced")] == ["True"] * 3

        async def whole() -> bool:
            return sorted(await seen(sac)) == sorted(SEEN)

        await until(whole)
        left = "find . -name '*.sac-new' -o -name .sac-clone; git status --porcelain -uno"
        assert (await sac.exec("a1", ["sh", "-c", left])).stdout == ""
        assert len(live.holders()) == 1
        children = (await sac.exec("a1", ["sh", "-c", "pgrep -P $PPID -l"])).stdout.split()[1::2]
        assert sorted(children) == ["sh", "sleep"]
