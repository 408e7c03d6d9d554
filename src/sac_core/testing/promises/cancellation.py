"""Promise 3: a call cancelled at any await leaves nothing that is not listed, and can simply be made again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import anyio

from sac_core.errors import SacError
from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import NEWEST, Bench
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.one_body import assert_never_two_alive

MOMENTS: tuple[float, ...] = (0, 1, 2, 3, 5, 8, 0.001, 0.003, 0.01, 0.03, 0.1)
"""When to cancel: whole numbers are turns of the event loop, fractions are seconds."""


async def cancelled(call: Coroutine[Any, Any, object], moment: float) -> None:
    """Run ``call``, cancel it at the moment; what it answered or raised of ours does not matter."""
    task = asyncio.ensure_future(call)
    if moment < 1 and moment:
        await anyio.sleep(moment)
    for _ in range(int(moment)):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError, SacError):
        await task


class Cancellation(ContractBase):
    @promise(3)
    async def test_a_cancelled_ensure_leaves_nothing_unlisted(self, bench: Bench) -> None:
        for number, moment in enumerate(MOMENTS):
            tag = f"created-{number}"
            key, launch = bench.key(tag), self.launch(bench.commands.beat(tag))
            await cancelled(bench.executor.ensure(key, launch, NO_SECRETS), moment)
            await self._nothing_unlisted(bench, key, tag)
            await bench.settle(key, launch)
            await bench.beating(tag, 2)
            assert len({beat.body for beat in bench.beats(tag)}) == 1, f"two bodies after a cancellation at {moment}"
            await bench.gone(key)
        await bench.silent("created-")

    @promise(3)
    async def test_a_cancelled_ensure_never_leaves_an_unlisted_body_behind(self, bench: Bench) -> None:
        for number, moment in enumerate(MOMENTS):
            tag = f"left-{number}"
            key = bench.key(tag)
            await cancelled(bench.executor.ensure(key, self.launch(bench.commands.beat(tag)), NO_SECRETS), moment)
            await bench.gone(key)
        await bench.silent("left-")

    @promise(3)
    async def test_a_cancelled_replacement_never_makes_two(self, bench: Bench) -> None:
        for number, moment in enumerate(MOMENTS[::2]):
            old, new = f"old-{number}", f"new-{number}"
            key, launch = bench.key(new), self.launch(bench.commands.beat(new), generation=2)
            await bench.settle(key, self.launch(bench.commands.beat(old)))
            await bench.beating(old, 1)
            await cancelled(bench.executor.ensure(key, launch, NO_SECRETS), moment)
            await bench.settle(key, launch)
            await bench.beating(new, 2)
            assert_never_two_alive([beat for beat in bench.commands.beats() if beat.tag in (old, new)])
            await bench.delete(key, grace=0.2)

    @promise(3)
    async def test_a_cancelled_delete_is_simply_made_again(self, bench: Bench) -> None:
        for number, moment in enumerate(MOMENTS):
            tag = f"deleted-{number}"
            key = bench.key(tag)
            await bench.settle(key, self.launch(bench.commands.beat(tag)))
            await cancelled(bench.executor.delete(key, generation=NEWEST, grace=0.2, purge=True), moment)
            if key not in await bench.listed():
                await bench.silent(tag)
            await bench.gone(key)
        await bench.silent("deleted-")

    @promise(3)
    async def test_a_cancelled_open_process_is_never_a_second_process(self, bench: Bench) -> None:
        key = await bench.body()
        await (await bench.open(key, "ready", bench.commands.cat())).aclose()
        for number, moment in enumerate(MOMENTS):
            tag = f"opened-{number}"
            await cancelled(bench.open(key, tag, bench.commands.mark(tag), overflow="drop"), moment)
            process = await bench.open(key, tag, bench.commands.mark(tag), overflow="drop")
            await bench.marked(tag)
            await process.aclose()
            assert len(bench.beats(tag)) == 1, f"the process ran twice after a cancellation at {moment}"

    async def _nothing_unlisted(self, bench: Bench, key: Key, tag: str) -> None:
        if bench.beats(tag):
            assert key in await bench.listed(), "a body beats that bodies() does not list"
            assert (await bench.executor.observe(key)).phase != "absent"
