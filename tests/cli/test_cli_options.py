"""Options of a runtime on the command line."""

from __future__ import annotations

import pytest

from sac_core.cli.options import parse_options
from sac_core.errors import InvalidError


def test_parts_make_a_tree_and_values_stay_texts() -> None:
    given = ["model=opus", "models.opus=a=b", "models.haiku=1.5", 'tools=["Edit"]', 'more={"a": 1}', "empty="]
    assert parse_options(given) == {
        "model": "opus",
        "models": {"opus": "a=b", "haiku": "1.5"},
        "tools": ["Edit"],
        "more": {"a": 1},
        "empty": "",
    }


@pytest.mark.parametrize("given", [["model"], ["=a"], ["a..b=c"], ["a=[1"], ["a=1", "a=2"], ["a=1", "a.b=2"]])
def test_what_cannot_be_meant_is_refused(given: list[str]) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_options(given)
    assert (refused.value.field, refused.value.reason) == ("--option", "Usage")
