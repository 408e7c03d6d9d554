"""Stages: who is seen, and from which offset on. What was taken is not asked for again, also not after a restart."""

from __future__ import annotations

import anyio

from sac_core.contracts.context import PluginContext
from sac_core.contracts.stage import Seat, Stage
from sac_core.models.session import Session, SessionStatus
from sac_core.testing.audit import input_and_output
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stages import Feed, StageBase, fed

NEEDS = ("none", "best_effort", "strict")


class Places(StageBase):
    @promise("need")
    async def test_the_answer_for_a_session_stays_the_same(self, opened: Stage, context: PluginContext) -> None:
        session = self.session()
        first = opened.need(session)
        assert first in NEEDS, f"need() gave {first!r}, which is none of {NEEDS}"
        assert first != "none", "the stage does not want to see what session() gives"
        status = SessionStatus(phase="Running", agent_uid="00000000-0000-4000-8000-000000000001")
        later = session.model_copy(update={"status": status})
        answers = {opened.need(session), opened.need(later), opened.need(session)}
        assert answers == {first}, f"first {first!r}, then {answers} for the same session"

    @promise("need")
    async def test_asking_does_no_input_or_output(self, opened: Stage) -> None:
        session = self.session()
        before = session.model_dump_json()
        opened.need(session)  # what is imported at the first call is no sin
        with input_and_output() as seen:
            opened.need(session)
        assert not seen, f"need() does input or output: {seen[:5]}"
        assert session.model_dump_json() == before, "need() changed the session"

    @promise("offsets")
    async def test_a_new_session_begins_at_its_first_byte(self, opened: Stage) -> None:
        seat = await self.seated(opened, self.session())
        assert (seat.offset, seat.ended) == (0, False), "the first seat at a session is not at its beginning"
        await seat.aclose()

    @promise("offsets")
    async def test_what_was_taken_is_not_asked_for_again(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        for data in (b"one\r\n", b"\xff\x00 two\r\n", "drei ✓\r\n".encode()):
            await fed(seat, feed.printed(data))
            seat = await self.again(opened, session, seat)
            assert seat.offset == feed.offset, f"{feed.offset} bytes were taken, and it asks from {seat.offset} on"
        assert not seat.ended, "it takes the session for ended"
        await seat.aclose()

    @promise("offsets")
    async def test_a_size_moves_no_offset(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        await fed(seat, feed.resized(100), feed.printed(b"wide"), feed.resized(132))
        await fed(seat, feed.resized(80))
        seat = await self.again(opened, session, seat)
        assert seat.offset == 4, f"4 bytes and three sizes were taken, and it asks from {seat.offset} on"
        await seat.aclose()

    @promise("gaps")
    async def test_a_gap_is_passed(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        await fed(seat, feed.missed(1000), feed.printed(b"after"))
        await fed(seat, feed.missed(50))
        seat = await self.again(opened, session, seat)
        assert seat.offset == feed.offset, f"it asks again for what nobody has: from {seat.offset}, not {feed.offset}"
        await fed(seat, feed.printed(b"wards"))
        await self.demand_kept(opened, session, b"afterwards")
        await seat.aclose()

    @promise("end")
    async def test_the_end_is_taken_once(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        await fed(seat, feed.printed(b"bye"), feed.ended())
        seat = await self.again(opened, session, seat)
        assert seat.ended, "it took the end, and asks for it again"
        assert seat.offset == 3, f"it took 3 bytes and the end, and is at {seat.offset}"
        await seat.aclose()

    @promise("end")
    async def test_a_session_without_a_byte_ends_too(self, opened: Stage) -> None:
        session = self.session()
        seat = await self.seated(opened, session)
        await fed(seat, Feed().ended())
        seat = await self.again(opened, session, seat)
        assert (seat.offset, seat.ended) == (0, True), "the end of a session that printed nothing is lost"
        await seat.aclose()

    @promise("restart")
    async def test_another_instance_goes_on_where_the_first_was(self, context: PluginContext) -> None:
        running, over = self.session(), self.session()
        async with self.open_stage(context) as stage:
            self.demand(stage)
            await fed(await self.seated(stage, running), Feed().printed(b"before"))  # a killed server leaves no seat
            feed = Feed()
            await fed(await self.seated(stage, over), feed.printed(b"all"), feed.ended())
        async with self.open_stage(context) as stage:
            places = [(seat.offset, seat.ended) for seat in await self._seats(stage, running, over)]
        assert places == [(6, False), (3, True)], f"after a restart it is at {places}, not at (6, False) and (3, True)"

    @promise("leaving")
    async def test_a_seat_is_left_any_number_of_times(self, opened: Stage) -> None:
        session, feed = self.session(), Feed()
        seat = await self.seated(opened, session)
        await fed(seat, feed.printed(b"x"), feed.ended())
        with anyio.fail_after(self.patience):
            for _ in range(3):
                await seat.aclose()

    async def _seats(self, stage: Stage, *sessions: Session) -> list[Seat]:
        seats = [await self.seated(stage, session) for session in sessions]
        for seat in seats:
            await seat.aclose()
        return seats
