"""The crash sweep: a fault at every point of every operation; after a restart rows, bodies and answers agree.

Run it on your own plugins and operations: `sweep` once, and nothing is left in `Report.problems`.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import anyio

from sac_core.contracts.sac import Sac
from sac_core.errors import SacError, UnavailableError
from sac_core.testing.faults import FAULT_KINDS, FaultKind, FaultPlan, FaultPoint, SimulatedKill
from sac_core.testing.fixtures import eventually
from sac_core.testing.judgement import disagreements, doubles
from sac_core.testing.operations import LIFE, Operation
from sac_core.testing.simulated_target import SimulatedTarget, StartPlan
from sac_core.testing.simulated_world import SimulatedWorld

IDLE = (
    "watch",
    "probe",
    "store.wait_changed",
    "store.version",
    "store.prune",
    "store.leases.beat",
    "store.leases.claim",
    "store.leases.give_up",
)
"""Methods that are called by the clock, not by an operation."""

SLOW = StartPlan(start_seconds=0.2, stop_seconds=0.3)
"""Bodies take their time, so that a fault can come while they do."""

_TICK, _SPEED = 0.01, 20.0
_STRUCK = 0.05
_HEALED = 15.0
_ANSWERED = 15.0
_ENDLESS = 3600.0
_REPEATS = 3
_PATIENCE = 3
"""Starts in a row that may fail because the database does not answer in time."""
_QUIET = 600.0
"""Seconds between comparisons of bodies and rows: what the clock does is no operation."""


class Planned(NamedTuple):
    """A fault in one operation; ``step`` is the operation's place in the life."""

    step: int
    point: FaultPoint
    kind: FaultKind


@dataclass
class Case:
    """A fault that was played. ``struck``: it happened; ``answered``: the operation was answered nevertheless.

    ``problems`` is what was wrong after the restart.
    """

    operation: str
    planned: Planned
    struck: bool = False
    answered: bool = False
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        point = self.planned.point
        return f"{self.operation}, {self.planned.kind} at {point.method} (call {point.call}, {point.step})"


@dataclass
class Report:
    """All cases of a sweep."""

    cases: list[Case] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What was wrong, with the fault that it came after."""
        return [f"{case}: {text}" for case in self.cases for text in case.problems]

    @property
    def struck(self) -> Counter[tuple[str, FaultKind]]:
        """How many faults of each kind happened, by operation."""
        return Counter((case.operation, case.planned.kind) for case in self.cases if case.struck)


async def sweep(
    make_world: Callable[[str], SimulatedWorld],
    life: Sequence[Operation] = LIFE,
    *,
    kinds: Sequence[FaultKind] = FAULT_KINDS,
    methods: Collection[str] = (),
    every: int = 1,
    first: int = 0,
    workers: int = 3,
) -> Report:
    """Play every kind of fault at every point of every operation, each with a restart after it.

    ``make_world`` makes a `SimulatedWorld` for a name; each of ``workers`` has its own. ``methods`` are those whose
    calls suffer faults, all when there are none. With ``every`` other than 1 only each so-manieth case is played, from
    the ``first`` on; a number that is odd gives all kinds their turns.
    """
    found = [each for each in await points(make_world("points"), life) if not methods or each[1].method in methods]
    planned = [Planned(step, point, kind) for step, point in found for kind in kinds][first::every]
    queues = [deque(each for each in planned if each.step == step) for step in range(len(life))]
    report = Report()
    async with anyio.create_task_group() as group:
        for number in range(workers):
            group.start_soon(_Worker(make_world(f"worker{number}"), life, queues, report).work)
    return report


async def points(world: SimulatedWorld, life: Sequence[Operation] = LIFE) -> list[tuple[int, FaultPoint]]:
    """Every point that a life passes when nothing goes wrong, with the place of its operation."""
    found: list[tuple[int, FaultPoint]] = []
    plan = FaultPlan(armed=False)
    world.target.default_plan = SLOW
    async with _time_passes(world.target), world.sac(plan, resync=_QUIET) as sac:
        for step, operation in enumerate(life):
            plan.arm()
            await operation.run(sac, "points")
            found += [(step, point) for point in dict.fromkeys(plan.visited) if _counts(point)]
    return found


def _counts(point: FaultPoint) -> bool:
    return point.method not in IDLE and point.call <= _REPEATS


class _Worker:
    """Lives again and again in one world, until every planned fault was played: each server dies of one."""

    def __init__(
        self, world: SimulatedWorld, life: Sequence[Operation], queues: Sequence[deque[Planned]], report: Report
    ) -> None:
        self._world, self._life, self._queues, self._report = world, life, queues, report
        self._steps = itertools.count()
        self._name = ""
        self._given_up = 0

    async def work(self) -> None:
        self._world.target.default_plan = SLOW
        last: Case | None = None
        async with _time_passes(self._world.target):
            while last is not None or any(self._queues):
                last = await self._served(last)

    async def _served(self, last: Case | None) -> Case | None:
        """As whoever runs a server does: started again when it gave up, as on a machine that is too busy."""
        try:
            served = await self._serve(last)
        except UnavailableError:
            self._given_up += 1
            if self._given_up > _PATIENCE:
                raise
            return last
        self._given_up = 0
        return served

    async def _serve(self, last: Case | None) -> Case | None:
        """One server: first what its predecessor left, then operations until one has a fault."""
        plan = FaultPlan(armed=False)
        with _dying():
            async with self._world.sac(plan, resync=_QUIET) as sac:
                if last is not None:
                    last.problems += [text async for text in self._after(sac, last)]
                while (case := await self._next(sac)) is None:
                    if not any(self._queues):
                        return None
                self._report.cases.append(case)
                await self._suffer(sac, case, plan)
        return case

    async def _next(self, sac: Sac) -> Case | None:
        """The next operation: done without a fault, when none is planned for it."""
        step = next(self._steps)
        number = step % len(self._life)
        if number == 0:
            self._name = f"a{step}"
        if self._queues[number]:
            return Case(self._life[number].name, self._queues[number].popleft())
        await self._life[number].run(sac, self._name)
        return None

    async def _suffer(self, sac: Sac, case: Case, plan: FaultPlan) -> None:
        """Until the fault struck or the operation was answered; then the server dies, whatever the fault was."""
        point, kind = case.planned.point, case.planned.kind
        plan.arm({point: kind})
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_until_struck, plan, group.cancel_scope)
                with suppress(SacError):
                    await self._life[case.planned.step].run(sac, self._name)
                    case.answered = True
                group.cancel_scope.cancel()
        finally:
            case.struck = bool(plan.struck)
            plan.kill()

    async def _after(self, sac: Sac, case: Case) -> AsyncIterator[str]:
        """What is wrong once this server has had its time: first by itself, then when who called has tried again."""
        operation, name = self._life[case.planned.step], self._name
        for text in await self._disagreements(sac):
            yield f"after a restart: {text}"
        try:
            if not case.answered:
                await _again(operation, sac, name)
            await operation.holds(sac, name)
        except (SacError, AssertionError) as error:
            yield f"{'answered, and' if case.answered else 'tried again:'} it does not hold: {error!r}"
        for text in [*await self._disagreements(sac), *doubles(self._world.target)]:
            yield text
        self._world.target.beats.clear()

    async def _disagreements(self, sac: Sac) -> list[str]:
        """What has not become true in time."""
        found: list[str] = []

        async def none() -> bool:
            try:
                agents, sessions = (await sac.agents.list()).items, (await sac.sessions.list()).items
            except UnavailableError as error:
                found[:] = [f"the rows cannot be read: {error}"]
            else:
                found[:] = disagreements(self._world.target, agents, sessions)
            return not found

        with suppress(AssertionError):
            await eventually(none, _HEALED)
        return found


async def _again(operation: Operation, sac: Sac, name: str) -> None:
    """As a user who was told of a failure would: until it is done."""
    refused: list[SacError] = []

    async def done() -> bool:
        try:
            await operation.run(sac, name)
        except SacError as error:
            refused.append(error)
            return False
        return True

    try:
        await eventually(done, _ANSWERED)
    except AssertionError:
        raise refused[-1] if refused else AssertionError("it hangs") from None


async def _until_struck(plan: FaultPlan, scope: anyio.CancelScope) -> None:
    await eventually(lambda: plan.struck, _ENDLESS)
    await anyio.sleep(_STRUCK)
    scope.cancel()


@asynccontextmanager
async def _time_passes(target: SimulatedTarget) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(_tick, target)
        yield
        group.cancel_scope.cancel()


async def _tick(target: SimulatedTarget) -> None:
    while True:
        await anyio.sleep(_TICK)
        target.clock.advance(_TICK * _SPEED)


@contextmanager
def _dying() -> Iterator[None]:
    """The server's end, however it came."""
    try:
        yield
    except SimulatedKill:
        return
    except BaseExceptionGroup as group:
        if group.split(SimulatedKill)[1] is not None:
            raise
