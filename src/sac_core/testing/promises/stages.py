"""What the promises of stages are tested with: sessions, their events, seats taken and fed within the deadlines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import uuid4

import anyio
import pytest

from sac_core.contracts.context import PluginContext, utc_now
from sac_core.contracts.stage import (
    BEGIN_DEADLINE,
    TAKE_DEADLINE,
    Ended,
    Missed,
    Printed,
    Resized,
    Seat,
    Stage,
    StageEvent,
)
from sac_core.models.envelope import Metadata
from sac_core.models.process import Exit, TtySize
from sac_core.models.session import Session, SessionSpec
from sac_core.testing.fixtures import temporary_context
from sac_core.testing.promises.unwritten import demand_written


class Feed:
    """Makes the events of one session: offsets and times go on from one to the next."""

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        self._at = utc_now()

    def printed(self, data: bytes) -> Printed:
        """The next output."""
        self.offset += len(data)
        return Printed(self.offset - len(data), data, self._now())

    def missed(self, count: int) -> Missed:
        """So many bytes that nobody can have any more."""
        self.offset += count
        return Missed(self.offset - count, self.offset, self._now())

    def resized(self, cols: int) -> Resized:
        """Another width."""
        return Resized(TtySize(cols=cols, rows=24), self._now())

    def ended(self) -> Ended:
        """The end."""
        return Ended(Exit(code=0), self._now())

    def _now(self) -> datetime:
        self._at += timedelta(milliseconds=1)
        return self._at


def new_session() -> Session:
    """A session that no other test uses, of which a recording is asked for."""
    uid = str(uuid4())
    metadata = Metadata(name=f"s-{uid[:8]}", namespace="default", uid=uid, owner="local", generation=1)
    return Session(metadata=metadata, spec=SessionSpec(agent="agent", recording="best_effort"))


async def fed(seat: Seat, *events: StageEvent) -> None:
    """Feed a seat as SAC does, within the deadline."""
    with anyio.fail_after(TAKE_DEADLINE):
        await seat.take(events)


class StageBase:
    """Override `open_stage`; `kept` where the stage keeps output; `session` where it does not want to see every one."""

    pytestmark = pytest.mark.anyio

    patience: ClassVar[float] = 2.0
    """Seconds within which a seat is left."""

    def open_stage(self, context: PluginContext) -> AbstractAsyncContextManager[Stage]:
        """The stage. Opened twice with one context, it is the same stage after a restart of SAC."""
        raise NotImplementedError("override open_stage(context)")

    def session(self) -> Session:
        """A new session that the stage wants to see."""
        return new_session()

    async def kept(self, stage: Stage, session: Session) -> bytes | None:
        """The output that the stage keeps of a session, without what it missed; None from a stage that keeps none."""
        return None

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def context(self) -> Iterator[PluginContext]:
        """What it is opened with."""
        with temporary_context() as context:
            yield context

    @pytest.fixture
    async def opened(self, context: PluginContext) -> AsyncIterator[Stage]:
        """The stage of this test."""
        async with self.open_stage(context) as stage:
            self.demand(stage)
            yield stage

    def demand(self, stage: Stage) -> None:
        """Fail with the names of what is not written: of the stage, of its module's seats, of this class."""
        seats = [cls for cls in Seat.__subclasses__() if cls.__module__ == type(stage).__module__]
        demand_written((stage, Stage), *((cls, Seat) for cls in seats), (self, StageBase))

    async def seated(self, stage: Stage, session: Session) -> Seat:
        """Take the seat as SAC does, within the deadline."""
        with anyio.fail_after(BEGIN_DEADLINE):
            return await stage.begin(session)

    async def again(self, stage: Stage, session: Session, seat: Seat) -> Seat:
        """Leave the seat, and take it again."""
        with anyio.fail_after(self.patience):
            await seat.aclose()
        return await self.seated(stage, session)

    async def demand_kept(self, stage: Stage, session: Session, wanted: bytes) -> None:
        """What is kept is exactly this; a stage that keeps nothing is not asked."""
        found = await self.kept(stage, session)
        if found is None or found == wanted:
            return
        same = next((at for at, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), None)
        where = min(len(found), len(wanted)) if same is None else same
        pytest.fail(f"{len(found)} bytes are kept instead of {len(wanted)}; the first other one is at {where}")
