"""What sees the bytes of sessions: a stage, and its seat at each session that it wants to see."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sac_core.models.process import Exit, TtySize
from sac_core.models.session import Session

Need = Literal["none", "best_effort", "strict"]
"""Whether a stage wants to see a session; ``strict``: the session must not be without it."""


@dataclass(frozen=True, slots=True)
class Printed:
    """Output bytes; ``offset`` is that of the first, counted from the session's first byte."""

    offset: int
    data: bytes = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """Output from offset ``start`` up to ``end`` was dropped before the stage could see it."""

    start: int
    end: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Resized:
    """The terminal has this size from here on."""

    size: TtySize
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The session's process ended; nothing follows."""

    exit: Exit
    at: datetime


StageEvent = Printed | Missed | Resized | Ended


class Seat(ABC):
    """One stage's place at one session.

    ``offset`` is that of the first output byte which the stage has not durably taken: what follows it is fed.
    ``ended`` says that it has durably taken `Ended`.
    """

    offset: int = 0
    ended: bool = False

    @abstractmethod
    async def take(self, events: Sequence[StageEvent]) -> None:
        """Take events in their order. Returns when they will not be asked for again, so when they are kept.

        The next events wait meanwhile. Whoever raises or takes longer than `TAKE_DEADLINE` loses the seat;
        `ConflictError` says that another server feeds the stage at this session, and nothing is lost.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Leave the seat: the session ended, the server ends, or the seat was lost. Idempotent."""


class Stage(ABC):
    """Sees sessions. One object serves all sessions of a server; different seats are used at the same time."""

    lost_reason: str = "StageLost"
    """The reason of a session that ended because it lost this stage and must not be without it."""

    @abstractmethod
    def need(self, session: Session) -> Need:
        """Whether to see a session. Quick, no I/O, and for one session always the same answer."""

    @abstractmethod
    async def begin(self, session: Session) -> Seat:
        """Take the seat at a session whose process is not yet opened; or take it again, after a failure or a restart.

        The terminal has the size of ``spec.tty`` until `Resized` says otherwise.
        """


BEGIN_DEADLINE = 3.0
"""Seconds in which a stage takes a seat."""

TAKE_DEADLINE = 3.0
"""Seconds in which a seat takes events."""
