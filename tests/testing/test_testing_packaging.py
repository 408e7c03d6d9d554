"""The packaging suite catches every planted mistake, and has no test that no mistake fails."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from sac_core.cli.skeleton import skeleton
from sac_core.testing.packaging import PackagingContract

PACKAGE = "src/sac_executor_acme"
PLUGIN, SETTINGS = f"{PACKAGE}/plugin.py", f"{PACKAGE}/settings.py"


class Mistake(NamedTuple):
    """What is written instead of what in which file (all of it when there is no old text), and the test that fails."""

    file: str
    old: str | None
    new: str
    caught_by: str


MISTAKES = {
    "no entry point": Mistake(
        "pyproject.toml", "entry-points.sac]", "entry-points.cas]", "an_entry_point_of_the_group"
    ),
    "no mark on the hook": Mistake(PLUGIN, "@hookimpl\n", "", "an_entry_point_of_the_group_sac_loads"),
    "another name": Mistake(PLUGIN, 'name="acme"', 'name="acne"', "names_agree"),
    "another distribution": Mistake("pyproject.toml", 'name = "sac-executor-acme"', 'name = "acme-sac"', "names_agree"),
    "another version": Mistake(PLUGIN, "isolated=False", "isolated=False, api=99", "the_loader_finds_no_fault"),
    "an async hook": Mistake(PLUGIN, "def sac_executors", "async def sac_executors", "hooks_are_plain_functions"),
    "a vendor at the top": Mistake(PLUGIN, '"""\n\n', '"""\n\nimport pytest\n', "importing_it_loads_no_vendor_library"),
    "a greeting": Mistake(PLUGIN, '"""\n\n', '"""\n\nprint("hello")\n', "importing_it_prints_nothing"),
    "a vendor in two modules": Mistake(PLUGIN, "@hookimpl\n", "def f():\n    import yaml\n\n@hookimpl\n", "one_module"),
    "the core's insides": Mistake(PLUGIN, "@hookimpl\n", "import sac_core.service\n@hookimpl\n", "it_builds_on_the"),
    "not typed": Mistake(f"{PACKAGE}/py.typed", None, "", "it_is_typed"),
    "any key": Mistake(SETTINGS, "AcmeOptions(Model)", "AcmeOptions(Model, extra='ignore')", "what_can_be_set_has"),
    "a field without words": Mistake(
        SETTINGS, "timeout: float", "x: int = 1\n    timeout: float", "what_can_be_set_has"
    ),
    "no readme": Mistake("README.md", None, "", "it_says_what_it_needs_and_what_it_is"),
    "no dependency": Mistake("pyproject.toml", '["sac-core>=0.1"]', "[]", "it_says_what_it_needs_and_what_it_is"),
    "no summary": Mistake(PLUGIN, 'summary="Bodies on Acme"', 'summary=""', "it_says_what_it_needs_and_what_it_is"),
    "no contract": Mistake("tests/test_contract.py", None, "", "what_it_offers_is_tested_by_the_contract"),
    "installed long ago": Mistake("METADATA", None, "", "what_is_installed_is_this"),
}


def plant(folder: Path, mistake: Mistake) -> None:
    """Make the mistake in a new plugin."""
    skeleton("executor", "acme").write(folder)
    other = folder / PACKAGE / "more.py"
    if mistake.caught_by == "one_module":
        other.write_text("def g():\n    import yaml\n")
    if mistake.file == "METADATA":
        _install(folder / "src" / "sac_executor_acme-0.0.1.dist-info")
    elif mistake.old is None:
        (folder / mistake.file).unlink()
    else:
        text = (folder / mistake.file).read_text()
        assert mistake.old in text
        (folder / mistake.file).write_text(text.replace(mistake.old, mistake.new, 1))


def _install(info: Path) -> None:
    """As an earlier version left it."""
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sac-executor-acme\nVersion: 0.0.1\n")
    (info / "entry_points.txt").write_text("[sac]\nacme = sac_executor_acme\n")


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_caught_by_its_test(tmp_path: Path, mistake: Mistake) -> None:
    plant(tmp_path / "made", mistake)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "tests/test_packaging.py"],
        cwd=tmp_path / "made",
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    failed = re.findall(r"^FAILED \S+::test_(\w+)", done.stdout, re.MULTILINE)
    assert any(name.startswith(mistake.caught_by) for name in failed), done.stdout


def test_every_test_of_the_suite_has_a_mistake() -> None:
    tests = [name for name, _ in inspect.getmembers(PackagingContract, inspect.isfunction) if name.startswith("test_")]
    caught = tuple(f"test_{mistake.caught_by}" for mistake in MISTAKES.values())
    assert [name for name in tests if not name.startswith(caught)] == []
