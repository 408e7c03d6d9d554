"""Faults at every call and every await of the simulated executor, and of whatever `faulty` wraps.

Run a scenario once with an empty plan and read ``plan.visited``: that is every point there is. Then run it again for
each point and each kind of `FAULT_KINDS`; `pairs` gives them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, get_args

import anyio
import anyio.lowlevel

from sac_core.errors import UnavailableError

FaultKind = Literal["raise", "hang", "kill", "deceive"]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
"""``raise``: `UnavailableError` here. ``hang``: wait here until cancelled. ``kill``: the server dies here, by
`SimulatedKill`. ``deceive``: the call does all of its work, then says `UnavailableError`."""


class SimulatedKill(BaseException):
    """The server died here: what was done stays done, nothing of it works any more.

    No `Exception`, so that no ordinary handler survives it.
    """


_UNPLANNED = 0
"""The number of calls that began before the plan was armed."""


class FaultPoint(NamedTuple):
    """A place in a run: the ``call``-th call (from 1) of ``method``, ``before``, ``after`` or at a named step."""

    method: str
    call: int
    step: str


class FaultPlan:
    """Which faults happen where, and which points a run has passed. One plan is for one run.

    One that is not ``armed`` counts nothing until `arm`: what a scenario needs first is made without faults.
    """

    def __init__(self, faults: Mapping[FaultPoint, FaultKind] | None = None, *, armed: bool = True) -> None:
        self._faults = dict(faults or {})
        self._armed = armed
        self._calls: Counter[str] = Counter()
        self.visited: list[FaultPoint] = []
        self.struck: list[FaultPoint] = []
        """Those of the planned faults that happened."""
        self.killed = False

    def arm(self, faults: Mapping[FaultPoint, FaultKind] | None = None) -> None:
        """Calls that begin from now on are numbered, from 1 again, and suffer what is planned, and ``faults``."""
        self._faults |= faults or {}
        self._armed = True
        self._calls.clear()
        self.visited.clear()

    def kill(self) -> None:
        """The server dies now: from here on every call is a `SimulatedKill`, and nothing has an effect."""
        self.killed = True

    def begin(self, method: str) -> PlannedCall:
        """Number a new call of ``method``; `SimulatedKill` once the run was killed."""
        self.stop_if_killed()
        if not self._armed:
            return PlannedCall(self, method, _UNPLANNED)
        self._calls[method] += 1
        return PlannedCall(self, method, self._calls[method])

    def stop_if_killed(self) -> None:
        """Nothing works any more for who was killed."""
        if self.killed:
            raise SimulatedKill("this server died")

    def at(self, point: FaultPoint) -> FaultKind | None:
        """Record the point; the fault that is due there, if any."""
        if point.call == _UNPLANNED:
            return None
        self.visited.append(point)
        kind = self._faults.get(point)
        if kind is not None:
            self.struck.append(point)
        return kind


class PlannedCall:
    """One call on its way through its points."""

    def __init__(self, plan: FaultPlan, method: str, call: int) -> None:
        self._plan, self._method, self._call = plan, method, call
        self._deceive = False

    async def reach(self, step: str) -> None:
        """An await of the call: let others run, then suffer what is planned here."""
        await anyio.lowlevel.checkpoint()
        self._plan.stop_if_killed()
        point = FaultPoint(self._method, self._call, step)
        kind = self._plan.at(point)
        if kind == "raise":
            raise self._unavailable(step)
        if kind == "hang":
            await anyio.sleep_forever()
        if kind == "kill":
            self._plan.kill()
            raise SimulatedKill(f"{self._method} call {self._call}, {step}")
        self._deceive = self._deceive or kind == "deceive"
        if step == "after" and self._deceive:
            raise self._unavailable(step)

    def _unavailable(self, step: str) -> UnavailableError:
        return UnavailableError(f"simulated fault in {self._method}, call {self._call}, {step}", retry_after=0.0)


def pairs(visited: Iterable[FaultPoint]) -> Iterator[tuple[FaultPoint, FaultKind]]:
    """Every point of a recorded run with every kind of fault, each once, in order."""
    for point in dict.fromkeys(visited):
        for kind in FAULT_KINDS:
            yield point, kind
