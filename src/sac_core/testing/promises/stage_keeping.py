"""Stages: every byte is kept, once and in order, also where a take was cancelled, and is told to nobody."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import anyio
import pytest

from sac_core.contracts.context import PluginContext
from sac_core.contracts.stage import Seat, Stage
from sac_core.errors import SacError
from sac_core.testing.promises.cancellation import MOMENTS
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stages import Feed, StageBase, fed

BYTES = bytes(range(256)) * 5 + "Grüße ✓ 💥 \x1b[31mred\x1b[0m\r\n".encode() * 3
CANARY = b"canary-81c6d0f2a94b7e35"


class Keeping(StageBase):
    @promise("order")
    async def test_every_byte_is_kept_in_its_order(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        await self._need_kept(opened, seat)
        sent = b""
        for size in (1, 2, 3, 700, len(BYTES)):
            pieces = [BYTES[at : at + size] for at in range(0, len(BYTES), size)]
            await fed(seat, *(feed.printed(piece) for piece in pieces), feed.resized(80 + size % 50))
            sent += BYTES
        await fed(seat, feed.ended())
        await seat.aclose()
        await self.demand_kept(opened, session, sent)

    @promise("restart")
    async def test_nothing_is_lost_or_repeated_over_restarts(self, context: PluginContext) -> None:
        session, sent = self.session(), 0
        for _ in range(4):
            async with self.open_stage(context) as stage:
                self.demand(stage)
                seat = await self.seated(stage, session)
                await self._need_kept(stage, seat)
                feed = Feed(seat.offset)
                for _ in range(3):  # from where it asks, as SAC does
                    await fed(seat, feed.printed(BYTES[feed.offset : feed.offset + 60]))
                sent += 180
        async with self.open_stage(context) as stage:
            await self.demand_kept(stage, session, BYTES[:sent])

    @promise("cancellation")
    async def test_a_cancelled_take_loses_and_repeats_nothing(self, opened: Stage) -> None:
        for moment in MOMENTS:
            session, feed = self.session(), Feed()
            seat = await self.seated(opened, session)
            await fed(seat, feed.printed(BYTES[:100]))
            await _cancelled(seat, Feed(100), moment)
            seat = await self.again(opened, session, seat)
            where = f"after a take that was cancelled at {moment}"
            assert 100 <= seat.offset <= 1000, f"{where} it asks from {seat.offset} on, not from 100 to 1000"
            feed = Feed(seat.offset)
            await fed(seat, feed.printed(BYTES[feed.offset : 1200]), feed.ended())
            await seat.aclose()
            await self.demand_kept(opened, session, BYTES[:1200])

    @promise("secrecy")
    async def test_no_output_is_logged_or_shown(
        self, opened: Stage, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level("DEBUG")
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        await fed(seat, feed.printed(CANARY), feed.printed(b"\r\n" + CANARY * 40), feed.ended())
        shown = [repr(seat), str(seat), repr(opened), str(opened)]
        await seat.aclose()
        printed = capfd.readouterr()
        seen = " ".join([*shown, caplog.text, printed.out, printed.err])
        assert CANARY.decode() not in seen, "a session's output is in a log, a print or a repr"

    async def _need_kept(self, stage: Stage, seat: Seat) -> None:
        if await self.kept(stage, self.session()) is None:
            await seat.aclose()
            pytest.skip("capability: kept (override StageContract.kept)")


async def _cancelled(seat: Seat, feed: Feed, moment: float) -> None:
    """A take of 900 bytes, cancelled at the moment."""
    events = [feed.printed(BYTES[at : at + 300]) for at in (100, 400, 700)]
    task = asyncio.ensure_future(seat.take(events))
    for _ in range(int(moment)):
        await asyncio.sleep(0)
    if 0 < moment < 1:
        await anyio.sleep(moment)
    task.cancel()
    with suppress(asyncio.CancelledError, SacError):
        await task
