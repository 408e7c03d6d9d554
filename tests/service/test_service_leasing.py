"""Servers that share agents on one database: who acts, and who leaves it to another. The executor is simulated."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from postgres_cluster import Cluster
from sac_core.core import Core, open_core
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.faults import FaultPlan, FaultPoint
from sac_core.testing.fixtures import eventually
from sac_core.testing.simulated_target import SimulatedTarget
from simulated_world import World

BEAT = "store.leases.beat"
WORK = {"ensure", "delete", "stop"}


@pytest.fixture
def pair(tmp_path: Path, postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> tuple[World, World]:
    """Two servers' data directories, with one target and one database."""
    monkeypatch.setenv("SAC_KEYS", "a" * 43 + "=")
    monkeypatch.setenv("SAC_LEASE", "3")
    target, database = SimulatedTarget(), postgres.database()
    return World(tmp_path / "one", target, database=database), World(tmp_path / "two", target, database=database)


async def running(core: Core, name: str) -> str:
    return (await core.sac(LOCAL).agents.wait(name, timeout=20)).status.phase


async def test_what_is_asked_of_one_server_the_owner_does(pair: tuple[World, World]) -> None:
    one, two = pair
    asked, owners = FaultPlan(armed=False), FaultPlan(armed=False)
    async with one.serve(owners) as owner:
        await owner.sac(LOCAL).agents.create("a1")
        await running(owner, "a1")
        async with two.serve(asked) as other:
            asked.arm()
            owners.arm()
            agents = other.sac(LOCAL).agents
            body = next(iter(two.target.bodies()))
            await agents.restart("a1")
            await running(other, "a1")
            assert next(iter(two.target.bodies())) != body
            await agents.delete("a1")
            await agents.wait("a1", "absent", timeout=20)
            assert {point.method for point in owners.visited} & WORK >= {"ensure", "delete"}
            assert not {point.method for point in asked.visited} & WORK


async def test_what_a_server_cannot_do_it_leaves_to_one_that_can(pair: tuple[World, World], tmp_path: Path) -> None:
    one, _ = pair
    async with one.serve() as able:
        await able.sac(LOCAL).agents.create("a1")
        await running(able, "a1")
        body = next(iter(one.target.bodies()))
    assert one.database is not None
    async with open_core(Settings(data_dir=tmp_path / "two", database=SecretStr(one.database))) as unable:
        agents = unable.sac(LOCAL).agents

        async def is_unreachable() -> bool:
            conditions = (await agents.get("a1")).status.conditions
            return any(known.type == "ExecutorReachable" and known.status == "False" for known in conditions)

        await eventually(is_unreachable, 10)  # nobody else is there to say so
        async with one.serve() as able:
            await able.sac(LOCAL).agents.restart("a1")
            await running(able, "a1")
            assert next(iter(one.target.bodies())) != body


async def test_who_cannot_renew_its_lease_stops_acting_before_it_has_run_out(pair: tuple[World, World]) -> None:
    plan = FaultPlan(armed=False)
    async with pair[0].serve(plan) as core:
        agents = core.sac(LOCAL).agents
        await agents.create("a1")
        await running(core, "a1")
        plan.arm({FaultPoint(BEAT, call, "before"): "raise" for call in range(1, 25)})
        leasing = core.services.leasing
        await eventually(lambda: leasing.left <= 0, 20)
        await agents.restart("a1")
        await running(core, "a1")  # when it may act again
        acted = next(place for place, point in enumerate(plan.visited) if point.method in WORK)
        refused = [place for place, point in enumerate(plan.visited) if point.method == BEAT][:24]
        assert len(plan.struck) == 24
        assert acted > max(refused)
