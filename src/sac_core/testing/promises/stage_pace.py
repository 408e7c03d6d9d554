"""Stages: taken in time, whatever there is to take; nobody blocks the loop, waits for another session, or stays."""

from __future__ import annotations

import asyncio

import anyio

from sac_core.contracts.context import PluginContext
from sac_core.contracts.stage import Stage
from sac_core.models.session import Session
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stages import Feed, StageBase, fed
from sac_core.testing.promises.waiting import ATTEMPTS, LONGEST_TURN, longest_turn

KIB = 1024
BACKLOG = 4 * KIB * KIB
"""Bytes that may wait for one seat."""
PRESSED = 20_000
"""Events of one byte each, as a program prints that flushes every one."""
MANY = 20


class Pace(StageBase):
    @promise("deadline")
    async def test_a_full_backlog_is_taken_in_time(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        await fed(seat, *(feed.printed(b"x" * 64 * KIB) for _ in range(BACKLOG // (64 * KIB))))
        await fed(seat, *(feed.printed(b"y") for _ in range(PRESSED)))
        seat = await self.again(opened, session, seat)
        assert seat.offset == BACKLOG + PRESSED, f"it took all, and asks from {seat.offset} on"
        await seat.aclose()

    @promise("deadline")
    async def test_no_take_blocks_the_event_loop(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        turns = []
        for _ in range(ATTEMPTS):
            async with longest_turn() as longest:
                await fed(seat, *(feed.printed(b"z" * KIB) for _ in range(64)))
            turns.append(longest())
        await seat.aclose()
        slow = f"taking 64 KiB blocks the event loop every time, for {min(turns) * 1000:.0f} ms at least"
        assert min(turns) <= LONGEST_TURN, slow

    @promise("sessions")
    async def test_sessions_at_the_same_time_are_kept_apart(self, opened: Stage) -> None:
        sessions = [self.session() for _ in range(MANY)]
        with anyio.fail_after(self.patience * 5):
            await asyncio.gather(*(self._lived(opened, session, number) for number, session in enumerate(sessions)))
        for number, session in enumerate(sessions):
            seat = await self.seated(opened, session)
            place = seat.offset, seat.ended
            await seat.aclose()
            assert place == (len(_own(number)) * 3, True), f"of {MANY} sessions at once, one is at {place}"
            await self.demand_kept(opened, session, _own(number) * 3)

    @promise("leaving")
    async def test_no_task_outlives_the_context(self, context: PluginContext) -> None:
        before = asyncio.all_tasks()
        async with self.open_stage(context) as stage:
            self.demand(stage)
            await self._lived(stage, self.session(), 1)
        for _ in range(10):
            await asyncio.sleep(0)
        left = [task.get_name() for task in asyncio.all_tasks() - before if not task.done()]
        assert not left, f"tasks outlive the stage's context: {sorted(left)}"

    async def _lived(self, stage: Stage, session: Session, number: int) -> None:
        feed = Feed()
        seat = await self.seated(stage, session)
        for _ in range(3):
            await fed(seat, feed.printed(_own(number)))
            await asyncio.sleep(0)
        await fed(seat, feed.ended())
        await seat.aclose()


def _own(number: int) -> bytes:
    """What only this session prints; of another length than what others print."""
    return b"%d;" % number * (number + 1)
