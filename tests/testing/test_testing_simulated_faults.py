"""The simulated world under faults: each point of a life, each kind of fault, and the life goes on to its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import anyio
import anyio.lowlevel
import pytest

from sac_core.errors import SacError, UnavailableError
from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Launch, Mount, Template
from sac_core.models.process import Command
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.faults import FAULT_KINDS, FaultPlan, FaultPoint, SimulatedKill, pairs
from sac_core.testing.fixtures import new_key
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget, StartPlan

OLD = Launch(
    generation=1, template=Template(command=("beat", "old"), mounts=(Mount(kind="volume", source="v", path="/v"),))
)
NEW = Launch(generation=2, template=Template(command=("beat", "new")))


async def live(executor: SimulatedExecutor, key: Key) -> None:
    """A whole life: made, used, listed, replaced, stopped, deleted."""
    await executor.probe()
    await executor.ensure(key, OLD, NO_SECRETS)
    process = await executor.open_process(key, "cat", Command(argv=("cat",)))
    await process.write(b"hello")
    await process.eof()
    assert b"".join([chunk.data async for chunk in process.output()]) == b"hello"
    await process.wait()
    await executor.ensure(key, NEW, NO_SECRETS)
    assert [seen.key async for seen in executor.bodies()] == [key]
    await executor.stop(key, generation=2, grace=0.0)
    await executor.observe(key)
    await executor.delete(key, generation=2, grace=0.0, purge=True)


async def suffer(target: SimulatedTarget, key: Key, plan: FaultPlan) -> None:
    """The same life with a fault in it; whoever called gives up as soon as it struck."""
    task = asyncio.ensure_future(live(SimulatedExecutor(target, "me", faults=plan), key))
    with anyio.fail_after(10):
        while not task.done() and not plan.struck:
            await anyio.lowlevel.checkpoint()
        await asyncio.wait([task], timeout=0.002)
    task.cancel()
    with suppress(UnavailableError, SimulatedKill, asyncio.CancelledError):
        await task


async def points_of_a_life() -> list[FaultPoint]:
    plan = FaultPlan()
    await live(SimulatedExecutor(SimulatedTarget(), "me", faults=plan), new_key())
    return plan.visited


async def test_every_method_has_points_before_and_after() -> None:
    visited = await points_of_a_life()
    assert {point.method for point in visited} >= {
        *("probe", "ensure", "observe", "bodies", "delete", "stop", "open_process"),
        *("process.output", "process.write", "process.wait", "process.eof"),
    }
    for method in ("ensure", "delete", "stop", "open_process"):
        steps = [point.step for point in visited if point.method == method and point.call == 1]
        assert steps[0] == "before"
        assert steps[-1] == "after"
        assert len(steps) > 2


async def test_after_any_fault_anywhere_a_new_instance_ends_the_life() -> None:
    planned = list(pairs(await points_of_a_life()))
    assert len(planned) >= 30 * len(FAULT_KINDS)
    for point, kind in planned:
        target, key, plan = SimulatedTarget(), new_key(), FaultPlan({point: kind})
        await suffer(target, key, plan)
        assert plan.struck == [point], f"{kind} at {point} never happened"
        after = SimulatedExecutor(target, "me")
        left = {body.key for body in target.bodies()}
        assert left == {seen.key async for seen in after.bodies()}, f"{kind} at {point} left something unlisted"
        await after.ensure(key, NEW, NO_SECRETS)
        assert (await after.observe(key)).hash == NEW.hash
        await after.delete(key, generation=2, grace=0.0, purge=True)
        assert not list(target.bodies())
        assert not target.volumes
        assert target.most_alive[key.uid] == 1


async def test_deceived_means_done() -> None:
    target, key = SimulatedTarget(), new_key()
    executor = SimulatedExecutor(target, "me", faults=FaultPlan({FaultPoint("ensure", 1, "before"): "deceive"}))
    with pytest.raises(UnavailableError):
        await executor.ensure(key, OLD, NO_SECRETS)
    assert (await executor.observe(key)).phase == "running"


async def test_nothing_of_a_killed_instance_works_any_more() -> None:
    target, key = SimulatedTarget(), new_key()
    executor = SimulatedExecutor(target, "me", faults=FaultPlan({FaultPoint("observe", 1, "before"): "kill"}))
    await executor.ensure(key, OLD, NO_SECRETS)
    process = await executor.open_process(key, "cat", Command(argv=("cat",)))
    with pytest.raises(SimulatedKill):
        await executor.observe(key)
    with pytest.raises(SimulatedKill):
        await executor.probe()
    with pytest.raises(SimulatedKill):
        await process.write(b"x")
    assert (await SimulatedExecutor(target, "me").observe(key)).phase == "running"


async def test_a_hanging_call_hangs_until_cancelled() -> None:
    executor = SimulatedExecutor(SimulatedTarget(), "me", faults=FaultPlan({FaultPoint("probe", 1, "after"): "hang"}))
    with pytest.raises(TimeoutError), anyio.fail_after(0.02):
        await executor.probe()
    assert (await executor.probe()).reachable


async def test_starts_pull_run_fail_and_exit_by_the_clock() -> None:
    target = SimulatedTarget()
    target.plans["slow"] = StartPlan(pull_seconds=10, start_seconds=5)
    target.plans["bad"] = StartPlan(start_seconds=1, fails="ImageNotFound", message="no such image; check spec.image")
    target.plans["short"] = StartPlan(exits=7, exits_after=2)
    executor = SimulatedExecutor(target, "me")
    slow, bad, short = (new_key(agent) for agent in ("slow", "bad", "short"))
    for key in (slow, bad, short):
        await executor.ensure(key, Launch(), NO_SECRETS)
    target.clock.advance(4)
    assert (await executor.observe(slow)).progress == "pulling: 40 %"
    failed = await executor.observe(bad)
    assert (failed.phase, failed.reason) == ("failed", "ImageNotFound")
    ended = await executor.observe(short)
    assert ended.exit is not None
    assert (ended.phase, ended.exit.code) == ("exited", 7)
    target.clock.advance(11)
    assert (await executor.observe(slow)).phase == "running"


async def test_a_volume_outlives_its_body_until_purged() -> None:
    target, key = SimulatedTarget(), new_key()
    executor = SimulatedExecutor(target, "me")
    await executor.ensure(key, OLD, NO_SECRETS)
    await executor.delete(key, generation=1, grace=0.0, purge=False)
    assert list(target.volumes) == [("me", key.uid, "v")]
    await executor.delete(key, generation=1, grace=0.0, purge=True)
    assert not target.volumes


async def test_a_closed_executor_refuses_in_our_words() -> None:
    executor = SimulatedExecutor(SimulatedTarget(), "me")
    executor.close()
    with pytest.raises(SacError):
        await executor.probe()


async def test_the_clock_fires_in_order_and_wakes_sleepers() -> None:
    clock = SimulatedClock()
    fired: list[str] = []
    clock.call_at(2.0, lambda: fired.append(f"two at {clock.seconds}"))
    clock.call_at(1.0, lambda: fired.append(f"one at {clock.seconds}"))
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 3.0)
        await anyio.lowlevel.checkpoint()
        clock.advance(3.0)
    assert fired == ["one at 1.0", "two at 2.0"]
    assert clock.seconds == 3.0
