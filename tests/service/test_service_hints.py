"""When the reconciler looks again: hints are many, looks are few."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anyio

from sac_core.contracts.background import background
from sac_core.service.agent_keeper import _poll
from sac_core.service.reconciler import Reconciler


class Counting(Reconciler):
    """Every step asks for another look soon."""

    steps = 0

    async def _settled(self, keeper: Any, uid: str) -> float | None:
        Counting.steps += 1
        return 0.2


async def test_hints_while_a_thing_is_looked_at_again_and_again_begin_no_more_looks() -> None:
    Counting.steps = 0
    async with background() as group:
        reconciler = Counting(None, group, 60.0)  # type: ignore[arg-type]
        for _ in range(30):
            reconciler.hint("Agent", "u1")
            await anyio.sleep(0.001)
        hinted = Counting.steps
        await anyio.sleep(0.9)
        assert 2 <= Counting.steps - hinted <= 8


def test_a_start_is_looked_at_often_where_nobody_tells_of_it() -> None:
    pauses = [_poll(timedelta(seconds=waited), told=told) for waited in (0, 0.1, 4, 60) for told in (False, True)]
    assert pauses == [0.02, 1.0, 0.05, 1.0, 2.0, 2.0, 5.0, 5.0]
