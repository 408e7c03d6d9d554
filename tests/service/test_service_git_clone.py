"""The script that clones, killed at every one of its steps: what runs after it finds or makes the whole repository."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from git_server import GitServer, git
from sac_core.models.process import Exit
from sac_core.models.workspace import Clone
from sac_core.service.git_clone import clone_command, failure, shown

TOOLS = ("git", "mv", "rm", "rmdir", "ls")
WRAPPER = """#!/bin/sh
echo x >> "$COUNT"
[ "$(grep -c x "$COUNT")" != "$KILL_AT" ] || [ "$WHEN" != before ] || kill -9 $PPID
{real} "$@"
code=$?
[ "$(grep -c x "$COUNT")" != "$KILL_AT" ] || [ "$WHEN" != after ] || kill -9 $PPID
exit $code
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Programs that kill the script that calls them, before or after they have done their work."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).write_text(WRAPPER.format(real=shutil.which(name)))
        (folder / name).chmod(0o755)
    return folder


def run(clone: Clone, workspace: Path, **env: str) -> int:
    command = clone_command(clone, None, env={"PATH": os.environ["PATH"], "HOME": str(workspace), **env}, cwd=None)
    return subprocess.run(command.argv, cwd=workspace, env=command.env, timeout=60, capture_output=True).returncode


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_step_it_is_made_good(git_server: GitServer, tools: Path, tmp_path: Path, when: str) -> None:
    clone = Clone(url=git_server.url, ref="feature/one")
    for number in range(1, 100):
        workspace, count = tmp_path / f"work-{number}", tmp_path / f"count-{number}"
        workspace.mkdir()
        path = f"{tools}:{os.environ['PATH']}"
        killed = run(clone, workspace, PATH=path, COUNT=str(count), KILL_AT=str(number), WHEN=when)
        assert run(clone, workspace) == 0, f"after a kill {when} step {number}"
        assert sorted(os.listdir(workspace)) == [".git", ".hidden", "README.md", "link", "src"]
        assert (workspace / "README.md").read_text() == "feature\n"
        assert git(workspace, "status", "--porcelain") == ""
        if killed == 0:
            break
        assert killed == -signal.SIGKILL
    assert number > 8, "it was to be killed more often"


def test_once_cloned_the_workspace_is_the_agents_own(git_server: GitServer, tmp_path: Path) -> None:
    workspace = tmp_path / "work"
    workspace.mkdir()
    clone = Clone(url=git_server.url)
    assert run(clone, workspace) == 0
    shutil.rmtree(workspace / "src")
    git(workspace, "remote", "remove", "origin")
    asked = len(git_server.requests)
    assert run(clone, workspace) == 0
    assert not (workspace / "src").exists()
    assert len(git_server.requests) == asked


def test_a_checkout_of_the_user_is_taken_as_it_is(git_server: GitServer, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", git_server.url, "work")
    (tmp_path / "work" / "README.md").write_text("mine\n")
    assert run(Clone(url=git_server.url, ref="v1"), tmp_path / "work") == 0
    assert (tmp_path / "work" / "README.md").read_text() == "mine\n"
    other = run(Clone(url=git_server.url.replace("project", "other")), tmp_path / "work")
    error = failure(Clone(url=git_server.url), Exit(code=other), "", 180)
    assert error is not None
    assert "another repository" in str(error)


def test_an_empty_repository_is_cloned(git_server: GitServer, tmp_path: Path) -> None:
    git(git_server.folder, "init", "-q", "--bare", "empty.git")
    workspace = tmp_path / "work"
    workspace.mkdir()
    assert run(Clone(url=git_server.url.replace("project", "empty")), workspace) == 0
    assert os.listdir(workspace) == [".git"]


def test_any_names_of_entries_come_whole_into_the_workspace(git_server: GitServer, tmp_path: Path) -> None:
    names = ["-rf", "--", "a b", "*", "$(id)", "new\nline", "..x", ".a", "é"]
    for name in names:
        (git_server.work / name).write_text(name)
    git_server.commit("names")
    git_server.publish()
    workspace = tmp_path / "work"
    workspace.mkdir()
    assert run(Clone(url=git_server.url), workspace) == 0
    assert {name: (workspace / name).read_text() for name in names} == dict(zip(names, names, strict=True))
    assert git(workspace, "status", "--porcelain") == ""


def test_a_repository_cannot_stand_in_the_way_of_its_own_clone(git_server: GitServer, tmp_path: Path) -> None:
    (git_server.work / ".sac-clone").symlink_to("/etc")
    git_server.commit("in the way")
    git_server.publish()
    workspace = tmp_path / "work"
    workspace.mkdir()
    error = failure(Clone(url=git_server.url), Exit(code=run(Clone(url=git_server.url), workspace)), "", 180)
    assert error is not None
    assert ".sac-clone" in str(error)


def test_without_git_it_says_so(git_server: GitServer, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "sh").symlink_to(shutil.which("sh") or "")
    clone = Clone(url=git_server.url)
    error = failure(clone, Exit(code=run(clone, bare, PATH=str(bare))), "", 180)
    assert error is not None
    assert (error.reason, "no git" in str(error)) == ("Unsupported", True)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"remote: canary\nfatal: Authentication failed for 'x'\n", "fatal: Authentication failed for 'x'"),
        (b"fatal: remote error: canary\n", "git failed without saying why"),
        (b"error: \x1b]0;canary2\x07 x\n", "error: ]0;canary2 x"),
        (b"fatal: canary / Z2l0OmNhbmFyeQ== / a%2Fb\n", "fatal: *** / *** / a%2Fb"),
        (b"", "git failed without saying why"),
    ],
)
def test_only_git_itself_is_quoted(said: bytes, expected: str) -> None:
    assert shown(said, ("git", "canary")).replace("***2", "canary2") == expected
