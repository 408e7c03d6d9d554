"""What is on its way ends before a cancellation is obeyed."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from sac_core.store.settle import settled


class Work:
    """An operation that ends when it is let."""

    def __init__(self) -> None:
        self.begun, self.let, self.ended = anyio.Event(), anyio.Event(), False

    async def run(self) -> None:
        self.begun.set()
        await self.let.wait()
        self.ended = True


@pytest.mark.parametrize("times", [1, 2])
async def test_cancelled_by_the_loop(times: int) -> None:
    work = Work()
    task = asyncio.ensure_future(settled(work.run()))
    await work.begun.wait()
    for _ in range(times):
        task.cancel()
        await anyio.wait_all_tasks_blocked()
    assert not task.done()
    work.let.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert work.ended


async def test_cancelled_by_a_scope() -> None:
    work = Work()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(settled, work.run())
        await work.begun.wait()
        tasks.cancel_scope.cancel()
        asyncio.get_running_loop().call_later(0.01, work.let.set)
    assert work.ended


async def test_a_failure_comes_through() -> None:
    async def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await settled(fail())
