"""The check of an installation finds what was broken on purpose, and is itself not broken by it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from anyio import to_thread

from sac_core.contracts.sac import Sac
from sac_core.hooks import hookimpl
from sac_core.models.body import Finding, Key
from sac_core.models.principal import LOCAL
from sac_core.service import checkup
from sac_core.testing.faults import FaultPlan, FaultPoint
from simulated_world import World

NEVER = 3600.0
"""Seconds between comparisons: what is wrong stays wrong."""


async def found(sac: Sac, check: str) -> list[Finding]:
    return [finding for finding in (await sac.status()).findings if finding.check.endswith(check)]


async def test_nothing_is_wrong_with_a_fresh_installation(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        findings = (await sac.status()).findings
    assert all(finding.level != "error" for finding in findings), findings
    assert [finding.message for finding in findings if finding.check == "executor simulated"] == ["reachable, 1 bodies"]


async def test_bodies_that_no_agent_claims_are_named(world: World) -> None:
    async with world.serve(resync=NEVER) as core:
        sac = core.sac(LOCAL)
        agent = await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        assert await found(sac, ": orphans") == []
        body = next(iter(world.target.bodies()))
        left = {"sac/uid": "uid-left", "sac/agent": "left"}
        world.target.create(Key("default", "left", "uid-left"), body.labels | left, body.launch)
        (finding,) = await found(sac, ": orphans")
        assert (finding.level, "left (uid-left)" in finding.message) == ("warning", True)
        assert agent.metadata.uid not in finding.message


async def test_agents_without_the_body_that_they_should_have_are_named(world: World) -> None:
    async with world.serve(resync=NEVER) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        assert await found(sac, ": bodies") == []
        for body in list(world.target.bodies()):
            world.target.discard(body)
        (finding,) = await found(sac, ": bodies")
        assert "a1" in finding.message


@pytest.mark.parametrize(("kind", "said"), [("raise", "simulated fault"), ("hang", "did not answer within")])
async def test_an_executor_that_does_not_answer_is_a_finding(
    world: World, kind: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "DEADLINE", 0.2)
    points = {FaultPoint("probe", call, "before"): kind for call in range(2, 9)}  # the first is at the start
    async with world.sac(FaultPlan(points)) as sac:  # type: ignore[arg-type]
        (finding,) = await found(sac, "executor simulated")
    assert (finding.level, said in finding.message, bool(finding.advice)) == ("error", True, True)


async def test_a_database_that_another_version_changed_is_a_finding(world: World) -> None:
    async with world.sac() as sac:
        assert [finding.level for finding in await found(sac, "database")] == ["ok"]
        await to_thread.run_sync(change_version, world.folder / "sac.db")
        (finding,) = await found(sac, "database")
        assert (finding.level, "9999" in finding.message) == ("error", True)


def change_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


class Broken:
    @hookimpl
    async def sac_runtimes(self) -> None:
        """A hook must not be asynchronous."""


async def test_a_plugin_that_did_not_load_is_a_finding(world: World) -> None:
    async with world.serve(more=[("broken", Broken())]) as core:
        sac = core.sac(LOCAL)
        (finding,) = await found(sac, "plugin broken")
        assert (finding.level, bool(finding.message)) == ("error", True)


async def test_the_servers_clock_is_told(world: World) -> None:
    async with world.sac() as sac:
        told = (await sac.status()).time
    assert told is not None
    assert abs((datetime.now(UTC) - told).total_seconds()) < 10
