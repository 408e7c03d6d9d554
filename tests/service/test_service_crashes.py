"""The server dies, or is lied to, at every point of an agent's life; after a restart everything is true again.

Judged by the bodies themselves, never by our rows: at most one alive, none without a row, no row that claims one.
`make test` plays each so-manieth case; `nox -s sweep` plays all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

import pytest

from sac_core.contracts.store import EVERYWHERE, Record, Scope, Store
from sac_core.models import transitions
from sac_core.service import idempotency
from sac_core.service.agent_keeper import AgentKeeper
from sac_core.service.agent_work import Step, Work
from sac_core.service.attending import Attending
from sac_core.testing.faults import FAULT_KINDS, FaultPoint
from sac_core.testing.judgement import overlaps
from sac_core.testing.operations import LIFE
from sac_core.testing.simulated_program import Beat
from sac_core.testing.sweep import points, sweep
from simulated_world import World

EVERY = int(os.environ.get("SAC_TEST_SWEEP", "29"))
"""Odd, so that each kind of fault has its turn."""
FEWER = 2 * EVERY + 1 if EVERY > 1 else 1
"""For PostgreSQL, on which a restart takes longer."""

on_sqlite = pytest.mark.parametrize("worlds", ["sqlite"], indirect=True)

Worlds = Callable[[str], World]


def methods(found: Sequence[tuple[int, FaultPoint]], operation: str) -> set[str]:
    """The methods that an operation calls."""
    return {point.method for step, point in found if LIFE[step].name == operation}


@on_sqlite
async def test_a_life_passes_every_call_that_changes_something(worlds: Worlds) -> None:
    found = await points(worlds("undisturbed"))
    writing = {"store.transaction", "unit.update", "unit.causes.add"}
    assert methods(found, "create") >= writing | {"ensure", "unit.insert", "store.state.put"}
    assert methods(found, "update") >= writing | {"ensure", "observe"}
    assert methods(found, "stop") >= writing | {"stop"}
    assert methods(found, "start") >= writing | {"ensure"}
    assert methods(found, "delete") >= writing | {"delete", "unit.remove"}
    assert methods(found, "open") >= writing | {"open_process", "process.output", "process.write", "unit.insert"}
    assert methods(found, "close") >= {"store.transaction", "unit.update", "unit.remove"}
    assert len(found) > 300


@pytest.mark.timeout(7200 if EVERY == 1 else 600)
@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize(("worlds", "every"), [("sqlite", EVERY), ("postgres", FEWER)], indirect=["worlds"])
async def test_after_a_fault_anywhere_everything_is_true_again(worlds: Worlds, every: int) -> None:
    report = await sweep(worlds, every=every)
    assert report.problems == []
    assert {kind for _, kind in report.struck} == set(FAULT_KINDS)
    assert {operation for operation, _ in report.struck} == {operation.name for operation in LIFE}
    assert sum(report.struck.values()) > 0.8 * len(report.cases), "most faults never happened"


async def row_first(self: AgentKeeper, work: Work) -> Step | None:
    """The row goes before the body."""
    async with work.services.store.transaction(EVERYWHERE) as unit:
        await unit.remove(await unit.by_uid("Agent", work.key.uid))
    await work.delete(purge=True)
    return None


async def stops_nothing(self: AgentKeeper, work: Work) -> Step:
    """It is said to be stopped, and nobody asked the executor."""
    return Step(transitions.stopped(self._seen(work), work.services.now()))


async def leaves_orphans(*_: object) -> None:
    """Bodies without a row are nobody's business."""


async def forgets_keys(
    store: Store, scope: Scope, key: str, record: Record, document: object
) -> tuple[Record, Record | None]:
    """Each request is the first of its key."""
    return record, None


@on_sqlite
@pytest.mark.parametrize(
    ("operation", "method", "where", "mistakes", "said"),
    [
        ("delete", "delete", AgentKeeper, {"_delete": row_first}, "without a row"),
        ("stop", "unit.update", AgentKeeper, {"_stop": stops_nothing}, "is said to be Stopped, and its body lives"),
        ("create", "store.transaction", idempotency, {"claim": forgets_keys}, "tried again: it does not hold"),
    ],
)
async def test_the_sweep_finds_mistakes(
    worlds: Worlds,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    method: str,
    where: object,
    mistakes: Mapping[str, object],
    said: str,
) -> None:
    monkeypatch.setattr("sac_core.testing.sweep._HEALED", 0.5)
    monkeypatch.setattr("sac_core.testing.sweep._ANSWERED", 4.0)
    monkeypatch.setattr(Attending, "_remove_orphans", leaves_orphans)
    for name, mistake in mistakes.items():
        monkeypatch.setattr(where, name, mistake)
    life = [each for each in LIFE if each.name in ("create", operation, "delete")]
    report = await sweep(worlds, life, kinds=["kill"], methods=[method])
    assert any(said in problem for problem in report.problems), report.problems


def test_a_body_that_lives_on_beside_its_follower_is_told() -> None:
    beats = [Beat("a", "1"), Beat("b", "7"), Beat("a", "1"), Beat("a", "2"), Beat("a", "2"), Beat("c", "1")]
    assert list(overlaps(beats)) == []
    assert list(overlaps([*beats, Beat("a", "1")])) == ["body 1 of 'a' lived on beside its follower"]
