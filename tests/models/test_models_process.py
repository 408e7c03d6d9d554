"""How a process ended, as shells and engines say it."""

from __future__ import annotations

import pytest

from sac_core.models.process import Exit


@pytest.mark.parametrize(
    ("status", "exit"),
    [
        (0, Exit(code=0)),
        (1, Exit(code=1)),
        (127, Exit(code=127)),
        (128, Exit(code=128)),
        (130, Exit(signal="INT")),
        (137, Exit(signal="KILL")),
        (143, Exit(signal="TERM")),
        (255, Exit(code=255)),
        (-1, Exit(code=-1)),
    ],
)
def test_above_128_it_was_a_signal(status: int, exit: Exit) -> None:
    assert Exit.from_status(status) == exit
    assert exit.status == status
