"""How a session is looked at, for a stage: its process found again and again, and who must be told of a lost seat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sac_core.service.hub import Source


@dataclass(frozen=True, slots=True)
class Sight:
    """``find`` finds the process, after a lost link too; `NotFoundError` says that the session has gone.

    ``tell`` is told of each stage whether it has its seat and if not, why; ``lose`` ends the session with a reason.
    """

    find: Callable[[], Awaitable[Source]]
    tell: Callable[[str, bool, str], Awaitable[None]]
    lose: Callable[[str, str], Awaitable[None]]
