"""Agents that run as they are declared are not looked at again and again; what changes without a word is found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from sac_core.service.bodies import MAIN, Bodies, Running
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


class Answering:
    """A body that answers so, or raises that."""

    def __init__(self, *answer: Running, error: Exception | None = None) -> None:
        self._answer, self._error = list(answer), error

    async def list(self) -> list[Running]:
        if self._error is not None:
            raise self._error
        return self._answer


def bodies(body: object | None = None) -> Bodies:
    """Ways into bodies: one, or none."""
    return cast(Bodies, SimpleNamespace(entered=lambda uid: body))


def test_an_agent_that_runs_as_declared_is_calm() -> None:
    assert calm(RUNNING, bodies(Answering()))


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
    assert not calm(replace(RUNNING, **change), bodies(Answering()))


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


class Hinted(Reconciler):
    """Notes what it would look at."""

    hinted: list[str]

    def hint(self, kind: str, uid: str) -> None:
        self.hinted.append(uid)


@asynccontextmanager
async def hinting(services: Any) -> AsyncIterator[Hinted]:
    async with background() as group:
        reconciler = Hinted(cast(Any, services), group, 60.0)
        reconciler.hinted = []
        yield reconciler


STRAY, MAIN_RUNS = Running("s-of-nobody", 0, None), Running(MAIN, 0, None)


@pytest.mark.parametrize(
    ("body", "hinted"),
    [
        (Answering(MAIN_RUNS), []),
        (Answering(MAIN_RUNS, STRAY), ["u1"]),
        (Answering(error=DeadlineError("the holder did not answer")), ["u1"]),
        (Answering(error=KeyError("a mistake")), ["u1"]),
    ],
    ids=["well", "a process of nobody", "silence", "a fault"],
)
async def test_a_body_that_answers_well_is_left_alone(body: Answering, hinted: list[str]) -> None:
    async with hinting(SimpleNamespace(bodies=bodies(body))) as reconciler:
        await reconciler._knock("u1", 0)
        assert reconciler.hinted == hinted


@pytest.mark.parametrize("sessions", [[], ["u1"]])
async def test_an_agent_with_sessions_is_looked_at(sessions: list[str]) -> None:
    rows = {"Session": [SimpleNamespace(status={"agentUid": uid}) for uid in sessions], "Agent": [RUNNING]}

    async def read(kind: str) -> SimpleNamespace:
        return SimpleNamespace(items=rows[kind])

    store = SimpleNamespace(read=lambda scope: SimpleNamespace(list=read))
    async with hinting(SimpleNamespace(bodies=bodies(Answering()), store=store)) as reconciler:
        await reconciler._hint_restless(1)
        assert reconciler.hinted == sessions


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
