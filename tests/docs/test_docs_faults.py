"""The page of faults names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"\btest_[a-z0-9_]+")


def test_every_test_that_is_named_is_there() -> None:
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "plugins").glob("*/*/tests/test_*.py")]
    there = {name for file in files for name in _NAME.findall(file.read_text())}
    named = set(_NAME.findall((ROOT / "docs" / "reference" / "faults.md").read_text()))
    assert len(named) > 25
    assert named - there == set()


def test_every_fault_has_a_row() -> None:
    page = (ROOT / "docs" / "reference" / "faults.md").read_text()
    assert {f"F{number}" for number in range(1, 17)} <= set(re.findall(r"\bF\d+", page))
