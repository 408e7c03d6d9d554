"""`sac targets` on real processes: two targets with two folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.conftest import Sac


def shown(sac: Sac, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sac.run("targets", "get", name, "-o", "json").stdout)
    return found


def test_targets_from_the_first_to_the_last(sac: Sac, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    create = ("targets", "create", "--executor", "process")
    assert sac.run(*create, "one", "--set", f"folder={one}", "--label", "zone=a").stdout == "target/one is Ready\n"
    (tmp_path / "folder").write_text(str(two))
    assert sac.run(*create, "two", "--set-file", f"folder={tmp_path / 'folder'}").stdout == "target/two is Ready\n"
    assert sac.run("targets", "set-default", "two").stdout == "new agents of process go to target two\n"
    sac.run("run", "shell", "--detach", "--name", "a1", "--executor", "process/one")
    sac.run("run", "shell", "--detach", "--name", "a2")
    assert [len(list((folder / "bodies").iterdir())) for folder in (one, two)] == [1, 1]
    text = sac.run("targets", "describe", "one").stdout
    for told in (f"folder: {one}", "zone=a", "a1 "):
        assert told in text
    assert "a2 " not in text
    refused = sac.run("targets", "delete", "one", check=False)
    assert (refused.returncode, "default/a1" in refused.stderr) == (1, True)
    sac.run("delete", "a1", "a2")
    sac.run("targets", "set-default", "default", "--executor", "process")
    assert sac.run("targets", "delete", "two").stdout == "target/two deleted\n"
    listed = [line.split() for line in sac.run("targets", "list").stdout.splitlines()]
    assert [line[:3] for line in listed] == [["NAME", "EXECUTOR", "PHASE"], ["one", "process", "Ready"]]


def test_what_is_wrong_with_one_is_told(sac: Sac, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = sac.run(
        "targets", "create", "bad", "--executor", "process", "--set", f"folder={tmp_path / 'file'}", check=False
    )
    assert (made.returncode, made.stdout.startswith("target/bad is NotReady: ")) == (1, True)
    refused = sac.run("targets", "test", "bad", check=False)
    assert refused.returncode == 1
    assert "cannot" in sac.run("targets", "describe", "bad").stdout
    updated = sac.run("targets", "update", "bad", "--set", f"folder={tmp_path / 'good'}", "--no-schedulable")
    assert updated.stdout == "target/bad is Ready\n"
    assert "target/bad is reachable\n" in sac.run("targets", "test", "bad").stdout
    assert shown(sac, "bad")["spec"] == {
        "executor": "process",
        "settings": {"folder": str(tmp_path / "good")},
        "schedulable": False,
    }
    refused = sac.run("run", "shell", "--detach", "--executor", "process/bad", check=False)
    assert "takes no new agents" in refused.stderr


def test_wrong_usage_is_told(sac: Sac) -> None:
    for args in (["create", "x"], ["get"], ["create", "x", "--executor", "process", "--set", "folder"]):
        assert sac.run("targets", *args, check=False).returncode == 2
    wrong = sac.run("targets", "create", "x", "--executor", "process", "--set", "fodler=/x", check=False)
    assert "spec.settings.fodler" in wrong.stderr
