"""A new plugin: well formed from the first moment, and failing in words that say what is to be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sac_core.cli.app import main
from sac_core.cli.skeleton import DISTRIBUTIONS, skeleton
from sac_core.errors import InvalidError

TO_WRITE = {
    "executor": ("bodies", "delete", "ensure", "observe", "open_holder", "probe"),
    "runtime": ("launch", "terminal"),
    "authenticator": ("authenticate", "invalid", "valid"),
    "stage": ("aclose", "take", "begin", "need", "kept"),
}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A tool of this environment, in a folder, as if nothing of this repository were configured."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SAC_"))}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=env, capture_output=True, text=True, timeout=280
    )


@pytest.mark.parametrize("family", list(DISTRIBUTIONS))
def test_a_new_plugin_passes_the_packaging_checks_and_names_what_is_not_written(family: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert main(["plugins", "new", family, "big-acme", "--folder", str(folder)]) == 0
    said = run(folder, "pytest", "-q", "-p", "no:cacheprovider").stdout
    packaging = said.partition("contract: TestPackaging")[2]
    assert "level reached: full" in packaging, said
    contract = said.partition("contract: TestBigAcme")[2]
    assert "level reached: none" in contract, said
    line = next(line for line in contract.splitlines() if line.startswith("not written yet: "))
    assert tuple(name.rpartition(".")[2] for name in line.split(", ")) == TO_WRITE[family]
    assert "NotImplementedError" not in said, said


@pytest.mark.parametrize("family", list(DISTRIBUTIONS))
def test_a_new_plugin_is_typed_and_in_form(family: str, tmp_path: Path) -> None:
    made = skeleton(family, "zeta-2")
    made.write(tmp_path / "made")
    for command in (("ruff", "check", "--no-cache", "."), ("ruff", "format", "--no-cache", "--check", ".")):
        done = run(tmp_path / "made", *command)
        assert done.returncode == 0, done.stdout
    done = run(tmp_path / "made", "mypy", "--strict", "--cache-dir", str(tmp_path / "mypy"), "src", "tests")
    assert done.returncode == 0, done.stdout


def test_names_are_written_as_each_place_wants_them() -> None:
    files = dict(skeleton("executor", "my-acme").files())
    assert {"pyproject.toml", "src/sac_executor_my_acme/plugin.py", "src/sac_executor_my_acme/py.typed"} <= set(files)
    assert 'my-acme = "sac_executor_my_acme.plugin"' in files["pyproject.toml"]
    assert "class MyAcmeExecutor(Executor)" in files["src/sac_executor_my_acme/executor.py"]
    assert 'name="my-acme"' in files["src/sac_executor_my_acme/plugin.py"]
    assert "open_my_acme" in files["src/sac_executor_my_acme/plugin.py"]


@pytest.mark.parametrize("name", ["", "Acme", "9lives", "a_b", "a--b", "-a", "a-", "../x", "a" * 41, "é"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidError, match="lower-case letters") as refused:
        skeleton("executor", name)
    assert refused.value.field == "NAME"


def test_an_unknown_family_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidError, match="executor, runtime, authenticator, stage"):
        skeleton("engine", "acme")


def test_a_folder_that_exists_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("precious")
    for folder in (tmp_path, tmp_path / "mine"):
        assert main(["plugins", "new", "executor", "acme", "--folder", str(folder)]) == 1
        assert "exists already (give another one)" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine").read_text() == "precious"
