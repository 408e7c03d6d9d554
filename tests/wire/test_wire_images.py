"""The lines of a build, both ways."""

from __future__ import annotations

import pytest

from sac_core.errors import LaunchError, LostError
from sac_core.wire import images


def test_a_line_comes_back_as_it_was() -> None:
    assert images.decode(images.encode("Step 1/2 : \N{SNOWMAN}\n").decode()) == "Step 1/2 : \N{SNOWMAN}\n"
    assert images.decode(images.IDLE.decode()) is None


def test_an_error_comes_back_as_it_was() -> None:
    sent = images.encode_error(LaunchError("no", reason="ImageNotFound", field="spec.image", hint="do"))
    with pytest.raises(LaunchError, match="no") as failed:
        images.decode(sent.decode())
    assert (failed.value.reason, failed.value.field, failed.value.hint) == ("ImageNotFound", "spec.image", "do")


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"problem": 4}', "7"])
def test_what_is_neither_is_lost(line: str) -> None:
    with pytest.raises(LostError):
        images.decode(line)
