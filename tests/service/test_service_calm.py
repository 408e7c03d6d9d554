"""Agents that run as they are declared are not looked at again and again; what changes without a word is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sac_core.contracts.background import background
from sac_core.contracts.store import Record
from sac_core.errors import DeadlineError
from sac_core.models.body import Key, Observed
from sac_core.service.agent_keeper import AgentKeeper
from sac_core.service.bodies import Bodies
from sac_core.service.calm import as_seen, calm
from sac_core.service.reconciler import Reconciler
from sac_core.testing.fixtures import eventually
from simulated_world import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING = Record(
    "Agent",
    "default",
    "box",
    uid="u1",
    owner="user:local",
    spec={"state": "Running"},
    status={"phase": "Running", "observedGeneration": 2, "hash": "h"},
    generation=2,
    launch={"generation": 2},
)
SEEN = Observed(key=Key("default", "box", "u1"), phase="running", hash="h", generation=2, observed_at=NOW)


class Silent:
    """A body whose holder does not answer."""

    async def list(self) -> list[Any]:
        raise DeadlineError("the holder did not answer")


def bodies(body: object | None = None) -> Bodies:
    """Ways into bodies: one, or none."""
    return cast(Bodies, SimpleNamespace(entered=lambda uid: body))


def test_an_agent_that_runs_as_declared_is_calm() -> None:
    assert calm(RUNNING, bodies(Silent()))


@pytest.mark.parametrize(
    "change",
    [
        {"deleted_at": NOW},
        {"deadline": NOW},
        {"generation": 3},
        {"spec": {"state": "Stopped"}},
        {"status": {**RUNNING.status, "phase": "Starting"}},
    ],
)
def test_whatever_is_due_or_under_way_is_looked_at(change: dict[str, Any]) -> None:
    assert not calm(replace(RUNNING, **change), bodies(Silent()))


def test_an_agent_whose_body_cannot_be_entered_is_looked_at() -> None:
    assert not calm(RUNNING, bodies())


@pytest.mark.parametrize(
    "body",
    [
        None,
        SEEN.model_copy(update={"phase": "exited"}),
        SEEN.model_copy(update={"hash": "other"}),
        SEEN.model_copy(update={"generation": 1}),
    ],
)
def test_a_body_that_is_gone_or_another_is_noticed(body: Observed | None) -> None:
    assert as_seen(RUNNING, SEEN)
    assert not as_seen(RUNNING, body)


def test_what_is_not_thought_to_run_is_not_judged_by_its_body() -> None:
    assert as_seen(replace(RUNNING, status={"phase": "Stopped"}), None)


async def test_a_body_that_does_not_answer_is_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    hinted: list[str] = []

    class Hinted(Reconciler):
        def hint(self, kind: str, uid: str) -> None:
            hinted.append(uid)

    async with background() as group:
        reconciler = Hinted(cast(Any, SimpleNamespace(bodies=bodies(Silent()))), group, 60.0)
        await reconciler._knock("u1", 0)
    assert hinted == ["u1"]


async def test_calm_agents_are_left_alone_by_most_comparisons(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settled, rounds = [0], [0]
    settle, compare = AgentKeeper.settle, Reconciler._hint_restless

    async def counted(keeper: AgentKeeper, uid: str) -> float | None:
        settled[0] += 1
        return await settle(keeper, uid)

    async def counting(reconciler: Reconciler, number: int) -> None:
        rounds[0] += 1
        await compare(reconciler, number)

    monkeypatch.setattr(AgentKeeper, "settle", counted)
    monkeypatch.setattr(Reconciler, "_hint_restless", counting)
    async with world.sac(resync=0.05) as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=30)
        await eventually(lambda: rounds[0] >= 3, 30)  # what follows of Running itself is over by then
        looks, done = settled[0], rounds[0]
        await eventually(lambda: rounds[0] >= done + 12, 30)
        assert settled[0] - looks <= 4
