"""Promise 5: nobody waits inside an executor, nobody blocks the loop, no task outlives the context."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from sac_core.contracts.context import PluginContext
from sac_core.models.launch import NO_SECRETS
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import NEWEST, Bench
from sac_core.testing.promises.marks import promise

PATIENCE = 4.0
"""Seconds within which every method returns, whatever the body does."""
LONGEST_TURN = 0.05
"""Seconds that one turn of the event loop may take."""
ATTEMPTS = 12
"""A busy machine may hold up a turn now and then, a blocking call does it every time: one attempt without is enough."""


@asynccontextmanager
async def longest_turn() -> AsyncIterator[Callable[[], float]]:
    """Measures the longest turn of the event loop inside, in seconds."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before - 0.001)

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await asyncio.sleep(0.005)
        yield lambda: longest
        await asyncio.sleep(0.005)
        group.cancel_scope.cancel()


class Waiting(ContractBase):
    @promise(5)
    async def test_ensure_does_not_wait_for_running(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch()
        await self.slow_start(key)
        with anyio.fail_after(PATIENCE):
            for _ in range(3):
                seen = await bench.executor.ensure(key, launch, NO_SECRETS)
                assert seen.phase == "pending"
            assert (await bench.executor.observe(key)).phase == "pending"

    @promise(5)
    async def test_delete_does_not_wait_for_the_end(self, bench: Bench) -> None:
        key = await bench.body(bench.commands.stubborn("stubborn"))
        await bench.beating("stubborn", 1)
        with anyio.fail_after(PATIENCE):
            seen = await bench.executor.delete(key, generation=NEWEST, grace=PATIENCE * 2, purge=True)
        assert seen.phase == "terminating"
        assert (await bench.listed())[key].phase == "terminating"
        await bench.delete(key, grace=0.2)
        await bench.silent("stubborn")

    @promise(5)
    async def test_ensure_does_not_wait_for_the_end_of_what_it_replaces(self, bench: Bench) -> None:
        key = await bench.body(bench.commands.stubborn("before"))
        await bench.beating("before", 1)
        with anyio.fail_after(PATIENCE):
            await bench.executor.ensure(key, self.launch(bench.commands.beat("after"), generation=2), NO_SECRETS)
        assert key in await bench.listed()
        await bench.delete(key, grace=0.2)
        await bench.silent("before")

    @promise(5)
    async def test_no_method_blocks_the_event_loop(self, bench: Bench) -> None:
        worst: dict[str, float] = {}
        for _ in range(ATTEMPTS):
            for name, call in self._calls(bench).items():
                async with longest_turn() as longest:
                    await call()
                worst[name] = min(worst.get(name, 1e9), longest())
            if max(worst.values()) <= LONGEST_TURN:
                return
        slow = {name: f"{seconds * 1000:.0f} ms" for name, seconds in worst.items() if seconds > LONGEST_TURN}
        assert not slow, f"these block the event loop every time: {slow}"

    @promise(5)
    async def test_no_task_outlives_the_context(self, context: PluginContext) -> None:
        before = asyncio.all_tasks()
        async with Bench(self, context, self.commands(context)) as bench:
            key = await bench.body(bench.commands.beat("tasks"))
            process = await bench.open(key, "one", bench.commands.cat())
            await process.write(b"x")
            await bench.listed()
        left = asyncio.all_tasks() - before
        for _ in range(10):
            await asyncio.sleep(0)
            left = {task for task in left if not task.done()}
        assert not left, f"tasks outlive the executor's context: {sorted(task.get_name() for task in left)}"

    @promise(5)
    async def test_leaving_the_context_leaves_bodies_alone(self, bench: Bench) -> None:
        await bench.body(bench.commands.beat("untouched"))
        await bench.beating("untouched")
        await bench.restart()
        await bench.beating("untouched")
        assert len({beat.body for beat in bench.beats("untouched")}) == 1

    def _calls(self, bench: Bench) -> dict[str, Callable[[], Awaitable[object]]]:
        """One life of a body, method by method, in order."""
        key, launch = bench.key(), self.launch()
        executor = bench.executor
        return {
            "probe": executor.probe,
            "ensure": lambda: executor.ensure(key, launch, NO_SECRETS),
            "observe": lambda: bench.settle(key, launch),
            "ensure again": lambda: executor.ensure(key, launch, NO_SECRETS),
            "bodies": bench.listed,
            "open_process": lambda: bench.open(key, "one", bench.commands.emit(0)),
            "delete": lambda: bench.delete(key, grace=0.2),
        }
