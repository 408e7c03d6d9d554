"""Workspaces, through the one surface, on real processes and with a real git: what is put in, and what is told."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from git_server import GitServer, git, serving
from sac_core.contracts.sac import Sac
from sac_core.errors import InvalidError, LaunchError
from sac_core.testing.fixtures import eventually

STEPS = ("WorkspaceCloned", "InstructionsPlaced", "SkillsPlaced")


async def running(sac: Sac, name: str, spec: dict[str, Any]) -> None:
    await sac.agents.create(name, spec)
    await sac.agents.wait(name, timeout=30)


async def refused(sac: Sac, name: str, spec: dict[str, Any] | None = None) -> LaunchError:
    """How an agent fails."""
    if spec is not None:
        await sac.agents.create(name, spec)
    with pytest.raises(LaunchError) as caught:
        await sac.agents.wait(name, timeout=30)
    return caught.value


async def shell(sac: Sac, agent: str, script: str) -> str:
    done = await sac.exec(agent, ["sh", "-c", script])
    return done.stdout + done.stderr


async def steps(sac: Sac, agent: str) -> dict[str, tuple[str, str]]:
    found = (await sac.agents.get(agent)).status.conditions
    return {one.type: (one.status, one.reason) for one in found if one.type in STEPS}


def identity(path: Path) -> tuple[int, ...]:
    found = os.lstat(path)
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns


async def test_main_finds_repository_instructions_and_skills(sac: Sac, git_server: GitServer) -> None:
    main = "cat README.md AGENTS.md skills/review/SKILL.md > seen; src/run.sh >> seen; exec sleep 3600"
    skills = [{"name": "review", "text": "look twice\n"}]
    spec = {"workspace": {"git": {"url": git_server.url}}, "instructions": "be kind\n", "skills": skills}
    await running(sac, "a1", {**spec, "command": ["sh", "-c", main]})
    assert await steps(sac, "a1") == dict.fromkeys(STEPS, ("True", ""))

    async def seen() -> bool:
        return await shell(sac, "a1", "cat seen") == "second\nbe kind\nlook twice\nit runs\n"

    await eventually(seen)
    assert (await shell(sac, "a1", "ls -A")).split() == sorted(
        [".git", ".hidden", "AGENTS.md", "README.md", "link", "seen", "skills", "src"]
    )
    assert await shell(sac, "a1", "git status --short -uno; git rev-parse --abbrev-ref HEAD; cat link") == (
        "main\nsecond\n"
    )
    told = [cause.text for cause in (await sac.agents.timeline("a1")).items if cause.kind == "step"]
    assert told[0].startswith("WorkspaceCloned (Cloning)")
    assert "WorkspaceCloned: it is done" in told
    assert "SkillsPlaced: it is done" in told


@pytest.mark.parametrize(("ref", "text"), [("feature/one", "feature"), ("v1", "first"), ("main", "second")])
async def test_a_ref_is_a_branch_or_a_tag(sac: Sac, git_server: GitServer, ref: str, text: str) -> None:
    await running(sac, "a1", {"workspace": {"git": {"url": git_server.url, "ref": ref}}})
    assert await shell(sac, "a1", "cat README.md") == f"{text}\n"


async def test_a_ref_may_be_a_commit(sac: Sac, git_server: GitServer) -> None:
    commit = git(git_server.work, "rev-parse", "v1")
    await running(sac, "a1", {"workspace": {"git": {"url": git_server.url, "ref": commit}}})
    assert await shell(sac, "a1", "git rev-parse HEAD; cat README.md") == f"{commit}\nfirst\n"


async def test_a_password_opens_it_and_stays_nowhere(sac: Sac, git_server: GitServer) -> None:
    git_server.password = "canary-of-git"
    await sac.secrets.put("login", {"username": "ann", "password": "canary-of-git\n"})
    await running(sac, "a1", {"workspace": {"git": {"url": git_server.url, "secret": "login"}}})
    assert await shell(sac, "a1", "cat README.md") == "second\n"
    assert await shell(sac, "a1", "grep -r canary . ; env | grep canary; git config --local -l | grep -i helper") == ""
    assert any("Basic" in given for _, given in git_server.requests)


async def test_a_token_alone_is_enough(sac: Sac, git_server: GitServer) -> None:
    git_server.user, git_server.password = "git", "token"
    await sac.secrets.put("token", "token\n")
    await running(sac, "a1", {"workspace": {"git": {"url": git_server.url, "secret": "token"}}})
    assert await shell(sac, "a1", "cat README.md") == "second\n"


async def test_a_wrong_password_is_told_and_not_shown(sac: Sac, git_server: GitServer) -> None:
    git_server.password = "right"
    await sac.secrets.put("token", "canary-of-git")
    error = await refused(sac, "a1", {"workspace": {"git": {"url": git_server.url, "secret": "token"}}})
    assert (error.reason, "Authentication failed" in str(error)) == ("Forbidden", True)
    assert (await steps(sac, "a1"))["WorkspaceCloned"] == ("False", "Forbidden")
    assert "canary" not in repr(await sac.agents.timeline("a1")) + repr(await sac.agents.get("a1"))
    git_server.user = "git"
    await sac.secrets.put("token", "right")
    await sac.agents.restart("a1")
    await sac.agents.wait("a1", timeout=30)
    assert await shell(sac, "a1", "cat README.md") == "second\n"


async def test_what_a_server_says_is_not_repeated(sac: Sac, git_server: GitServer) -> None:
    git_server.broken, git_server.says = 403, "you sent canary-of-git, Z2l0OmNhbmFyeS1vZi1naXQ="
    await sac.secrets.put("token", "canary-of-git")
    error = await refused(sac, "a1", {"workspace": {"git": {"url": git_server.url, "secret": "token"}}})
    assert error.reason == "Forbidden"
    said = f"{error}{await sac.agents.get('a1')}{await sac.agents.timeline('a1')}"
    assert "canary" not in said
    assert "Z2l0OmNhbmFyeS1" not in said


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"ref": "nosuch"}, "InvalidSpec"), ({"url": "nosuch.git"}, "InvalidSpec")],
)
async def test_what_does_not_exist_is_told(
    sac: Sac, git_server: GitServer, change: dict[str, str], reason: str
) -> None:
    source = {"url": git_server.url, **change}
    if "/" not in source["url"]:
        source["url"] = git_server.url.replace("project.git", source["url"])
    error = await refused(sac, "a1", {"workspace": {"git": source}})
    assert error.reason == reason
    await sac.agents.patch("a1", {"spec": {"workspace": {"git": {"url": git_server.url, "ref": "v1"}}}})
    await sac.agents.wait("a1", timeout=30)
    assert await shell(sac, "a1", "cat README.md") == "first\n"


async def test_a_server_that_is_down_is_tried_again(sac: Sac, git_server: GitServer) -> None:
    git_server.broken = 503
    await sac.agents.create("a1", {"workspace": {"git": {"url": git_server.url}}})

    async def tried() -> bool:
        return await steps(sac, "a1") == {"WorkspaceCloned": ("False", "Retrying")}

    await eventually(tried, 20)
    agent = await sac.agents.get("a1")
    assert (agent.status.phase, "503" in agent.status.message) == ("Starting", True)
    git_server.broken = None
    await sac.agents.wait("a1", timeout=30)
    assert await shell(sac, "a1", "cat README.md") == "second\n"
    assert len(git_server.requests) < 20


async def test_a_clone_has_a_deadline(sac: Sac, git_server: GitServer) -> None:
    git_server.go.clear()
    spec = {"workspace": {"git": {"url": git_server.url}}, "startTimeout": 2}
    error = await refused(sac, "a1", spec)
    assert error.reason == "StartTimeout"
    assert f"git clones {git_server.url}" in str(error)


async def test_a_folder_that_is_not_empty_is_left_alone(sac: Sac, git_server: GitServer, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    error = await refused(sac, "a1", {"workspace": {"folder": str(folder), "git": {"url": git_server.url}}})
    assert (error.reason, "not empty" in str(error)) == ("InvalidSpec", True)
    assert os.listdir(folder) == ["mine"]


async def test_work_is_kept_over_restarts_and_stops(sac: Sac, git_server: GitServer) -> None:
    await running(sac, "a1", {"workspace": {"git": {"url": git_server.url}}, "instructions": "old"})
    await shell(sac, "a1", "echo mine > README.md; echo new > file")
    asked = len(git_server.requests)
    await sac.agents.restart("a1")
    await sac.agents.wait("a1", timeout=30)
    await sac.agents.stop("a1")
    await sac.agents.wait("a1", "Stopped", timeout=30)
    await sac.agents.patch("a1", {"spec": {"state": "Running", "instructions": "new"}})
    await sac.agents.wait("a1", timeout=30)
    assert await shell(sac, "a1", "cat README.md file AGENTS.md") == "mine\nnew\nnew"
    assert len(git_server.requests) == asked


async def test_new_instructions_restart_nothing(sac: Sac) -> None:
    await running(sac, "a1", {"command": ["sleep", "3600"], "instructions": "old"})
    main = await shell(sac, "a1", "pgrep -P $PPID -x sleep")
    await sac.agents.patch("a1", {"spec": {"instructions": "new", "skills": [{"name": "s", "text": "t"}]}})
    await sac.agents.wait("a1", timeout=30)
    assert await shell(sac, "a1", "cat AGENTS.md skills/s/SKILL.md") == "newt"
    assert await shell(sac, "a1", "pgrep -P $PPID -x sleep") == main != ""


@pytest.mark.parametrize(
    "make",
    [lambda path: path.write_text("mine"), Path.mkdir, lambda path: path.symlink_to("../elsewhere"), os.mkfifo],
    ids=["file", "folder", "link", "pipe"],
)
async def test_what_sac_did_not_place_is_not_replaced(sac: Sac, tmp_path: Path, make: Callable[[Path], object]) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    make(folder / "AGENTS.md")
    found = identity(folder / "AGENTS.md")
    error = await refused(sac, "a1", {"workspace": {"folder": str(folder)}, "instructions": "text"})
    assert error.reason == "InvalidSpec"
    assert identity(folder / "AGENTS.md") == found
    assert not (tmp_path / "elsewhere").exists()
    assert await steps(sac, "a1") == {"InstructionsPlaced": ("False", "InvalidSpec")}


async def test_no_link_of_a_repository_leads_texts_elsewhere(sac: Sac, git_server: GitServer, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (git_server.work / "skills").symlink_to(elsewhere)
    (git_server.work / "AGENTS.md.sac-new").symlink_to(elsewhere / "file")
    git_server.commit("links")
    git_server.publish()
    skills = [{"name": "review", "text": "look twice\n"}]
    spec = {"workspace": {"git": {"url": git_server.url}}, "instructions": "text", "skills": skills}
    error = await refused(sac, "a1", spec)
    assert (error.reason, "link" in str(error)) == ("InvalidSpec", True)
    assert os.listdir(elsewhere) == []
    found = await steps(sac, "a1")
    assert found == {"WorkspaceCloned": ("True", ""), "InstructionsPlaced": ("True", "")} | {
        "SkillsPlaced": ("False", "InvalidSpec")
    }


async def test_a_change_that_cannot_be_is_told_and_the_agent_runs_on(sac: Sac, git_server: GitServer) -> None:
    await running(sac, "a1", {"command": ["sleep", "3600"]})
    await shell(sac, "a1", "echo mine > AGENTS.md")
    main = await shell(sac, "a1", "pgrep -P $PPID -x sleep")
    await sac.agents.patch("a1", {"spec": {"instructions": "new"}})
    error = await refused(sac, "a1")
    assert error.reason == "InvalidSpec"
    assert (await sac.agents.get("a1")).status.phase == "Running"
    assert await shell(sac, "a1", "cat AGENTS.md; pgrep -P $PPID -x sleep") == f"mine\n{main}"
    await sac.agents.patch("a1", {"spec": {"instructions": None}})
    await sac.agents.wait("a1", timeout=30)
    assert await steps(sac, "a1") == {}


async def test_a_clone_for_an_agent_that_runs_ends_nothing(sac: Sac, git_server: GitServer) -> None:
    """Not when it takes long, not when its server is down, not when there is no time left for it."""
    await running(sac, "a1", {"startTimeout": 3})
    session = await sac.sessions.create("a1", command=["sleep", "3600"])
    before = await shell(sac, "a1", "echo $PPID")
    git_server.go.clear()
    await sac.agents.patch("a1", {"spec": {"workspace": {"git": {"url": git_server.url}}}})

    async def begun() -> bool:
        return await steps(sac, "a1") == {"WorkspaceCloned": ("False", "Cloning")}

    await eventually(begun, 20)
    assert (await sac.agents.get("a1")).status.phase == "Running"
    error = await refused(sac, "a1")
    assert error.reason == "StartTimeout"
    git_server.go.set()
    git = {"url": git_server.url, "ref": "v1"}
    await sac.agents.patch("a1", {"spec": {"workspace": {"git": git}, "startTimeout": 60}})
    await sac.agents.wait("a1", timeout=30)
    assert await shell(sac, "a1", "cat README.md; echo $PPID") == f"first\n{before}"
    assert (await sac.sessions.get(session.metadata.name)).status.phase == "Running"


CLONES = "pgrep -P $PPID -f sac-cloned | grep -cvx $$"
"""How many clones run in a body."""


async def test_another_repository_ends_the_clone_that_is_on_its_way(sac: Sac, git_server: GitServer) -> None:
    git_server.go.clear()
    await running(sac, "a1", {})
    for ref in ("feature/one", "main", "v1"):
        asked = len(git_server.requests)
        await sac.agents.patch("a1", {"spec": {"workspace": {"git": {"url": git_server.url, "ref": ref}}}})

        async def begun(before: int = asked) -> bool:
            return len(git_server.requests) > before + 1 and await shell(sac, "a1", CLONES) == "1\n"

        await eventually(begun, 20)
    git_server.go.set()
    await sac.agents.wait("a1", timeout=30)
    assert await shell(sac, "a1", "cat README.md; ls -A | grep sac") == "first\n"


async def test_without_a_repository_the_clone_that_is_on_its_way_ends(sac: Sac, git_server: GitServer) -> None:
    git_server.go.clear()
    await running(sac, "a1", {})
    await sac.agents.patch("a1", {"spec": {"workspace": {"git": {"url": git_server.url}}}})

    async def begun() -> bool:
        return await shell(sac, "a1", CLONES) == "1\n"

    await eventually(begun, 20)
    await sac.agents.patch("a1", {"spec": {"workspace": {"git": None}}})
    await sac.agents.wait("a1", timeout=30)

    async def ended() -> bool:
        return await shell(sac, "a1", CLONES) == "0\n"

    await eventually(ended, 20)
    assert await steps(sac, "a1") == {}


@pytest.mark.parametrize("end", ["stop", "delete"])
async def test_a_stop_or_a_delete_ends_a_clone(sac: Sac, git_server: GitServer, tmp_path: Path, end: str) -> None:
    git_server.go.clear()
    folder = tmp_path / "work"
    folder.mkdir()
    await sac.agents.create("a1", {"workspace": {"folder": str(folder), "git": {"url": git_server.url}}})
    await eventually(lambda: any(path.endswith("pack") for path, _ in git_server.requests), 20)
    await getattr(sac.agents, end)("a1")
    await sac.agents.wait("a1", "Stopped" if end == "stop" else "absent", timeout=20)
    git_server.go.set()
    if end == "stop":
        await sac.agents.start("a1")
        await sac.agents.wait("a1", timeout=30)
        assert (folder / "README.md").read_text() == "second\n"


async def test_a_password_does_not_follow_a_redirect(sac: Sac, git_server: GitServer, tmp_path: Path) -> None:
    with serving(tmp_path / "elsewhere") as elsewhere:
        elsewhere.password = git_server.password = "canary-of-git"
        git_server.elsewhere = elsewhere.url.removesuffix("/project.git")
        await sac.secrets.put("login", {"username": "ann", "password": "canary-of-git"})
        error = await refused(sac, "a1", {"workspace": {"git": {"url": git_server.url, "secret": "login"}}})
        assert error.reason == "Forbidden"
        assert elsewhere.requests
        given = [base64.b64decode(one.removeprefix("Basic ")) for _, one in elsewhere.requests]
        assert not any(b"canary" in one for one in given)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"workspace": {"git": {"url": url}}}, "spec.workspace.git.url")
        for url in (
            "",
            "git@example.org:team/project.git",
            "ssh://example.org/project.git",
            "file:///etc",
            "/etc",
            "ext::sh -c id",
            "--upload-pack=id",
            "https://",
            "https://example.org",
            "https://ann:canary@example.org/p.git",
            "https://canary@example.org/p.git",
            "https://example.org\\@evil.example/p.git",
            "https://example.org/p.git?a=b",
            "https://example.org/p.git\nhost=evil.example",
            "HTTPS://example.org/p.git",
            "https://-oProxyCommand=id/p.git",
        )
    ]
    + [
        ({"workspace": {"git": {"url": "https://example.org/p.git", "ref": ref}}}, "spec.workspace.git.ref")
        for ref in ("--upload-pack=id", "a..b", "a b", "a:b", "", "-", "a\n")
    ]
    + [
        ({"workspace": {"git": {"url": "http://example.org/p.git", "secret": "mine"}}}, "spec.workspace.git"),
        ({"workspace": {"git": {"url": "https://example.org/p.git", "secret": "nosuch"}}}, "spec.workspace.git.secret"),
        ({"workspace": {"git": {"url": "https://example.org/p.git", "secret": "two"}}}, "spec.workspace.git.secret"),
        ({"skills": [{"name": "../x", "text": ""}]}, "spec.skills.0.name"),
        ({"skills": [{"name": "x", "text": ""}, {"name": "x", "text": ""}]}, "spec"),
        ({"instructions": "x" * 200_000}, "spec.instructions"),
        ({"instructions": "x" * 100_000, "skills": [{"name": "x", "text": "x" * 100_000}]}, "spec"),
    ],
)
async def test_what_is_wrong_names_its_field(sac: Sac, spec: dict[str, Any], field: str) -> None:
    await sac.secrets.put("mine", "x")
    await sac.secrets.put("two", {"a": "x", "b": "y"})
    with pytest.raises(InvalidError) as caught:
        await sac.agents.create("a1", spec)
    assert caught.value.field == field
    assert "canary" not in str(caught.value)
    assert (await sac.agents.list()).items == ()
