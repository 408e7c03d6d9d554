"""`sac run` with a workspace: what the options make of a spec, and a private repository as a user gets it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from git_server import GitServer
from sac_core.cli.workspaces import Prepared
from sac_core.errors import InvalidError

if TYPE_CHECKING:
    from cli.conftest import Sac


@pytest.mark.parametrize(
    ("path", "name"), [("Code Review.md", "code-review"), ("my_skill/SKILL.md", "my-skill"), ("plain", "plain")]
)
def test_a_skill_is_named_after_its_file_or_folder(tmp_path: Path, path: str, name: str) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("text")
    assert Prepared(skill=(tmp_path / path,)).spec() == {"skills": [{"name": name, "text": "text"}]}


def test_what_was_not_given_is_not_in_the_spec() -> None:
    assert Prepared().spec() == {}
    assert Prepared(git="u", ref="v1").spec() == {"workspace": {"git": {"url": "u", "ref": "v1"}}}


@pytest.mark.parametrize(
    ("prepared", "field"),
    [
        (Prepared(ref="v1"), "--ref"),
        (Prepared(git_secret="s"), "--git-secret"),
        (Prepared(instructions=Path("/nosuch")), "--instructions"),
        (Prepared(skill=(Path("/dev/null/x"),)), "--skill"),
    ],
)
def test_what_cannot_be_is_told_with_its_option(prepared: Prepared, field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        prepared.spec()
    assert caught.value.field == field


def test_a_private_repository_is_worked_in(fresh: Sac, git_server: GitServer, tmp_path: Path) -> None:
    git_server.user, git_server.password = "git", "canary-of-git"
    (tmp_path / "be-kind.md").write_text("be kind\n")
    (tmp_path / "work").mkdir()
    fresh.run("secrets", "put", "token", stdin="canary-of-git\n")
    options = ["--git", git_server.url, "--git-secret", "token", "--instructions", str(tmp_path / "be-kind.md")]
    fresh.run("run", "shell", str(tmp_path / "work"), "--name", "a1", "--detach", *options)
    assert (tmp_path / "work" / "README.md").read_text() == "second\n"
    assert fresh.run("exec", "a1", "--", "cat", "AGENTS.md").stdout == "be kind\n"
    told = fresh.run("describe", "a1").stdout
    assert re.search(r"WorkspaceCloned +True", told)
    assert "WorkspaceCloned: it is done" in told
    wrong = fresh.run("run", "shell", "--detach", "--git", git_server.url, check=False)
    assert wrong.returncode == 1
    assert "spec.workspace.git.secret" in wrong.stderr
    assert "canary" not in told + wrong.stderr
