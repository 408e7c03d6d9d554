from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sac_core.cli.tables import age, aligned, cell, dumped, table
from sac_core.models.kind import Column

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (86400 * 3, "3d"),
        (86400 * 800, "2y"),
    ],
)
def test_ages_have_one_unit(seconds: int, text: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def test_cells_follow_paths_and_what_is_not_there_is_empty() -> None:
    document = {"spec": {"runtime": "shell", "ports": [1]}, "status": {}}
    assert cell(document, Column("R", "spec.runtime")) == "shell"
    assert cell(document, Column("P", "spec.ports")) == "[1]"
    assert cell(document, Column("X", "status.phase.deeper")) == ""


def test_a_cell_cannot_command_the_terminal() -> None:
    assert "\x1b" not in cell({"status": {"reason": "a\x1b[2Jb\n"}}, Column("R", "status.reason"))


def test_a_table_is_aligned_and_has_no_trailing_space() -> None:
    columns = (Column("NAME", "n"), Column("PHASE", "p"))
    assert table(columns, [{"n": "a-long-name", "p": "Running"}, {"n": "b"}]) == [
        "NAME          PHASE",
        "a-long-name   Running",
        "b",
    ]
    assert aligned([("a", ""), ("bb", "c")]) == ["a", "bb   c"]


def test_documents_are_dumped_whole_and_in_their_order() -> None:
    document = {"kind": "Agent", "a": "ä", "n": [1]}
    assert dumped(document, "yaml") == "kind: Agent\na: ä\nn:\n- 1"
    assert '"ä"' in dumped(document, "json")
