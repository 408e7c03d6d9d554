"""What is declared and what runs are brought together, whatever happens in between. The executor is simulated."""

from __future__ import annotations

import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import LaunchError
from sac_core.models.agent import AgentStatus
from sac_core.models.body import Key
from sac_core.models.envelope import Condition
from sac_core.models.launch import NO_SECRETS, Launch
from sac_core.testing.faults import FaultPlan, FaultPoint
from sac_core.testing.fixtures import eventually
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedBody, StartPlan
from simulated_world import World


async def condition(sac: Sac, name: str, type: str) -> Condition | None:
    agent = await sac.agents.get(name)
    return next((known for known in agent.status.conditions if known.type == type), None)


async def is_unreachable(sac: Sac, name: str) -> bool:
    found = await condition(sac, name, "ExecutorReachable")
    return found is not None and found.status == "False"


async def restarts(sac: Sac, name: str) -> int:
    return (await sac.agents.get(name)).status.restarts


async def test_a_restart_finds_what_runs_and_touches_nothing(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
    body = next(iter(world.target.bodies()))
    async with world.sac() as sac:
        agent = await sac.agents.wait("a1", timeout=10)
        assert agent.status.restarts == 0
    assert list(world.target.bodies()) == [body]


@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize("kind", ["raise", "hang"])
async def test_an_unreachable_executor_is_a_condition_and_heals(world: World, kind: str) -> None:
    points = {FaultPoint("ensure", call, "before"): kind for call in (1, 2)}
    async with world.sac(FaultPlan(points)) as sac:  # type: ignore[arg-type]
        await sac.agents.create("a1")
        await eventually(lambda: is_unreachable(sac, "a1"), 10)
        assert (await sac.agents.get("a1")).status.phase != "Failed"
        await sac.agents.wait("a1", timeout=20)
        assert not await is_unreachable(sac, "a1")


@pytest.mark.usefixtures("short_deadlines")
async def test_a_start_that_waits_for_its_executor_says_so(world: World) -> None:
    points = {FaultPoint("observe", call, "before"): "raise" for call in range(1, 4)}
    async with world.sac(FaultPlan(points)) as sac:  # type: ignore[arg-type]
        await sac.agents.create("a1")
        await eventually(lambda: is_unreachable(sac, "a1"), 20)
        status = (await sac.agents.get("a1")).status
        assert (status.phase, status.reason) == ("Pending", "Unavailable")
        assert "simulated fault in observe" in status.message
        status = (await sac.agents.wait("a1", timeout=60)).status
        assert (status.reason, status.message) == ("", "")


async def told(sac: Sac, reason: str) -> AgentStatus | None:
    status = (await sac.agents.get("a1")).status
    return status if status.reason == reason else None


async def test_a_start_that_is_tried_again_says_why_meanwhile(world: World) -> None:
    world.target.no_room = "all machines are full"
    async with world.sac() as sac:
        await sac.agents.create("a1")
        seen = await eventually(lambda: told(sac, "Unschedulable"), 20)
        assert seen.phase == "Starting"
        assert "all machines are full; it is tried again" in seen.message
        assert not await is_unreachable(sac, "a1")
        story = [cause.text for cause in (await sac.agents.timeline("a1")).items]
        assert any("all machines are full" in text for text in story)
        world.target.no_room = ""
        status = (await sac.agents.wait("a1", timeout=60)).status
        assert (status.reason, status.message, status.next_attempt, status.restarts) == ("", "", None, 0)


async def test_a_start_that_is_tried_in_vain_fails_in_time_and_says_why(world: World) -> None:
    world.target.no_room = "all machines are full"
    async with world.sac() as sac:
        await sac.agents.create("a1", {"startTimeout": 1})
        with pytest.raises(LaunchError, match=r"last seen: .*all machines are full") as caught:
            await sac.agents.wait("a1", timeout=60)
        assert caught.value.reason == "StartTimeout"


async def test_an_image_that_is_built_takes_no_time_of_the_start(world: World) -> None:
    world.target.default_plan = StartPlan(build_seconds=100)
    async with world.sac() as sac:
        await sac.agents.create("a1", {"startTimeout": 1})
        before = await eventually(lambda: told(sac, "BuildingImage"), 20)
        assert "building" in before.progress

        async def later() -> bool:
            since = (await sac.agents.get("a1")).status.started_at
            return since is not None and (since - before.started_at).total_seconds() > 2

        await eventually(later, 30, describe="a start that begins when the image is there")
        world.target.clock.advance(100)
        await sac.agents.wait("a1", timeout=60)


async def test_a_body_that_cannot_be_made_fails_with_its_reason(world: World) -> None:
    world.target.default_plan = StartPlan(fails="ImageNotFound", message="no image x")
    async with world.sac() as sac:
        await sac.agents.create("a1", {"restart": "never"})
        with pytest.raises(LaunchError, match="no image x") as caught:
            await sac.agents.wait("a1", timeout=10)
        assert caught.value.reason == "ImageNotFound"


async def test_a_refused_change_is_a_condition_while_the_old_body_runs_on(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        (body,) = world.target.bodies()
        await sac.agents.patch("a1", {"spec": {"resources": {"gpus": 64}}})
        with pytest.raises(LaunchError, match="version 1 runs on") as caught:
            await sac.agents.wait("a1", timeout=10)
        assert caught.value.reason == "Unsupported"
        agent = await sac.agents.get("a1")
        assert (agent.status.phase, agent.status.reason) == ("Running", "Unsupported")
        assert (await sac.exec("a1", ["cat"])).code == 0
        await sac.agents.patch("a1", {"spec": {"resources": None}})
        agent = await sac.agents.wait("a1", timeout=10)
        assert (agent.status.reason, agent.status.message) == ("", "")
        applied = await condition(sac, "a1", "Applied")
        assert applied is not None
        assert applied.status == "True"
        assert list(world.target.bodies()) == [body]


async def test_a_refused_agent_without_a_body_has_failed(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1", {"resources": {"gpus": 64}})
        with pytest.raises(LaunchError) as caught:
            await sac.agents.wait("a1", timeout=10)
        assert caught.value.reason == "Unsupported"
        assert (await sac.agents.get("a1")).status.phase == "Failed"


async def test_one_exit_is_called_an_exit(world: World) -> None:
    world.target.default_plan = StartPlan(exits=3, exits_after=0.0)
    async with world.sac() as sac:
        await sac.agents.create("a1", {"restart": "never"})
        with pytest.raises(LaunchError, match="ended with code 3") as caught:
            await sac.agents.wait("a1", timeout=10)
        assert caught.value.reason == "Exited"


async def test_a_body_that_does_not_start_in_time_fails(world: World) -> None:
    world.target.default_plan = StartPlan(start_seconds=1e6)
    async with world.sac() as sac:
        await sac.agents.create("a1", {"startTimeout": 0.5})
        with pytest.raises(LaunchError) as caught:
            await sac.agents.wait("a1", timeout=10)
        assert caught.value.reason == "StartTimeout"
        await eventually(lambda: not any(body.alive for body in world.target.bodies()), 10)


async def test_progress_is_shown_while_it_starts(world: World) -> None:
    world.target.default_plan = StartPlan(pull_seconds=100)
    async with world.sac() as sac:
        await sac.agents.create("a1")

        async def progress() -> str:
            world.target.clock.advance(1)
            return str((await sac.agents.get("a1")).status.progress)

        assert "pulling" in await eventually(progress, 10)
        world.target.clock.advance(100)
        assert (await sac.agents.wait("a1", timeout=20)).status.progress == ""


async def test_what_the_executor_tells_of_a_body_is_shown_while_there_is_one(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        assert (await sac.agents.wait("a1", timeout=20)).status.details == {"machine": "simulated"}
        await sac.agents.stop("a1")
        assert (await sac.agents.wait("a1", "Stopped", timeout=20)).status.details == {}


async def test_a_body_removed_outside_is_made_again(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        world.target.discard(next(iter(world.target.bodies())))
        await eventually(lambda: restarts(sac, "a1"), 10)
        await sac.agents.wait("a1", timeout=20)
        assert len(list(world.target.bodies())) == 1


async def test_a_body_that_crashes_is_not_made_again_when_told_so(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1", {"restart": "never"})
        agent = await sac.agents.wait("a1", timeout=10)
        next(iter(world.target.bodies(agent.metadata.uid))).crash("OutOfMemory")
        with pytest.raises(LaunchError) as caught:
            await sac.agents.wait("a1", "Stopped", timeout=10)
        assert caught.value.reason == "OutOfMemory"
        await sac.agents.start("a1")
        await sac.agents.wait("a1", timeout=10)


async def test_what_no_row_claims_is_removed_and_what_is_not_ours_is_left(world: World) -> None:
    async with world.serve() as core:
        owner = core.services.store.installation
        ours = SimulatedExecutor(world.target, owner)
        strangers = SimulatedExecutor(world.target, "another-owner")
        await ours.ensure(Key("default", "orphan", "u1"), Launch(), NO_SECRETS)
        await strangers.ensure(Key("default", "foreign", "u2"), Launch(), NO_SECRETS)
        await eventually(lambda: not list(world.target.bodies("u1")), 10)
        assert len(list(world.target.bodies("u2"))) == 1


async def test_a_changed_spec_replaces_the_body_and_a_label_does_not(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1", {"env": {"A": "1"}})
        agent = await sac.agents.wait("a1", timeout=10)
        first = next(iter(world.target.bodies()))
        await sac.agents.patch("a1", {"spec": {"env": {"A": "2"}}, "metadata": {"labels": {"x": "y"}}})
        await sac.agents.wait("a1", timeout=10)
        assert list(world.target.bodies()) == [first]
        await sac.agents.patch("a1", {"spec": {"command": ["idle"]}})
        await sac.agents.wait("a1", timeout=20)
        now = [body for body in world.target.bodies(agent.metadata.uid) if body.alive]
        assert len(now) == 1
        assert now[0] is not first


async def test_a_body_that_is_ending_is_asked_again_until_it_has_ended(world: World) -> None:
    world.target.default_plan = StartPlan(stop_seconds=1e6)
    plan = FaultPlan()
    async with world.sac(plan) as sac:

        async def asked_again() -> bool:
            return len([point for point in plan.visited if point.method == "ensure" and point.step == "after"]) > 3

        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        await sac.agents.restart("a1")
        await eventually(asked_again, 10)
        world.target.clock.advance(60)
        await sac.agents.wait("a1", timeout=20)
        assert len(list(world.target.bodies())) == 1


async def test_a_replaced_body_that_ends_at_once_is_no_failure_of_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        body, removed = next(iter(world.target.bodies())), SimulatedBody.remove

        def remove(self: SimulatedBody, grace: float) -> None:
            if self is body and self.phase == "running":
                self.end("exited")
            else:
                removed(self, grace)

        monkeypatch.setattr(SimulatedBody, "remove", remove)
        await sac.agents.restart("a1")
        await sac.agents.wait("a1", timeout=10)
        assert await restarts(sac, "a1") == 0
