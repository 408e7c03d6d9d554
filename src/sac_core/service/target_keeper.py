"""Opens the declared targets in this server, probes them from time to time, and closes those that are deleted.

Each has a task of its own, so that one that hangs keeps no other waiting. What is seen is written by the server that
owns the row; every server opens every target.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import anyio
from anyio.abc import TaskGroup

from sac_core.contracts.background import background
from sac_core.contracts.store import Record
from sac_core.errors import ConflictError, NotFoundError, SacError, UnavailableError
from sac_core.models.body import Probe
from sac_core.models.change import Change
from sac_core.models.placement import Placement
from sac_core.models.target import TargetStatus, probed, silent, unopened
from sac_core.service.reach import agents_at, out_of_reach
from sac_core.service.services import EVERYWHERE, Services
from sac_core.service.target_settings import whole_settings
from sac_core.service.targets import Declared, Target, TargetOpener

log = logging.getLogger("sac.targets")

AT_START = 5.0
"""Seconds that a server waits for its targets before it looks at agents; who is slower is opened behind it."""
_AGAIN = 30.0
_FIRST_RETRY, _LONGEST_RETRY = 2.0, 60.0

Wanted = tuple[dict[str, Any], int]
"""The settings of a spec, and the version of the sealed ones."""

Turn = Callable[[TargetStatus, datetime, int], TargetStatus]
"""From a status, the time and the generation to the status that says what was seen."""


@dataclass(slots=True)
class _Kept:
    """A declared target in this server: which generation was looked at last, and with which settings it was opened."""

    uid: str
    at: Placement | None = None
    target: Target | None = None
    generation: int = 0
    opened_with: Wanted | None = None
    failures: int = 0
    looked: anyio.Event = field(default_factory=anyio.Event)
    woken: anyio.Event = field(default_factory=anyio.Event)
    lock: anyio.Lock = field(default_factory=anyio.Lock)


@dataclass(slots=True)
class TargetKeeper:
    """Keeps the declared targets of one server."""

    services: Services
    opener: TargetOpener
    group: TaskGroup
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _begun: bool = False

    async def begin(self) -> None:
        """Open all that are declared, those that take long behind us."""
        targets = self.services.targets
        targets.changed, targets.look = self.changed, self.look
        await self._find_all()
        with anyio.move_on_after(AT_START):
            for kept in list(self._kept.values()):
                await kept.looked.wait()
        self._begun = True
        await self._announce()
        self.group.start_soon(self._find)

    def changed(self, change: Change[Record]) -> None:
        """It was declared, changed or deleted; what was only seen of it is no reason to look again."""
        kept = self._kept.get(change.object.uid)
        if kept is None:
            self._keep(change.object.uid)
        elif change.verb == "DELETED" or kept.generation != change.object.generation:
            kept.woken.set()

    async def look(self, uid: str) -> Probe:
        """Probe it now, and open it first where it is not; raises `SacError` when it does not answer."""
        return await self._look(self._kept.get(uid) or self._keep(uid))

    async def _find(self) -> None:
        """Changes are hints: what was declared is looked for from time to time."""
        while True:
            await anyio.sleep(_AGAIN * random.uniform(0.9, 1.1))
            try:
                await self._find_all()
            except SacError as error:
                log.warning("cannot read which targets are declared: %s", error)
            except Exception:
                log.exception("a fault while looking for declared targets")

    async def _find_all(self) -> None:
        for record in (await self.services.store.read(EVERYWHERE).list("Target")).items:
            if record.uid not in self._kept:
                self._keep(record.uid)

    def _keep(self, uid: str) -> _Kept:
        kept = self._kept[uid] = _Kept(uid)
        self.group.start_soon(self._run, kept)
        return kept

    async def _run(self, kept: _Kept) -> None:
        """Look again and again, until it is deleted."""
        try:
            while True:
                kept.woken = anyio.Event()
                try:
                    await self._look(kept)
                except NotFoundError:
                    return
                except SacError as error:
                    log.info("target %s: %s", kept.at or kept.uid, error)
                except Exception:
                    kept.failures += 1
                    log.exception("a fault while looking at target %s", kept.at or kept.uid)
                kept.looked.set()
                with anyio.move_on_after(_pause(kept.failures)):
                    await kept.woken.wait()
        finally:
            kept.looked.set()
            del self._kept[kept.uid]

    async def _look(self, kept: _Kept) -> Probe:
        """Look once: what was seen is written, what went wrong is raised too."""
        async with kept.lock:
            try:
                record = await self.services.store.read(EVERYWHERE).by_uid("Target", kept.uid)
            except NotFoundError:
                await self._close(kept)
                raise
            kept.at, kept.generation = Placement(record.spec["executor"], record.name), record.generation
            try:
                target = await self._opened(kept, record)
            except SacError as error:
                return await self._failed(kept, record, error, unopened)
            try:
                probe = await target.executor.probe()
                await self._reach(kept, target, probe)
            except SacError as error:
                return await self._failed(kept, record, error, silent)
            kept.failures = 0 if probe.reachable else kept.failures + 1
            await self._tell(record, lambda status, now, generation: probed(status, now, generation, probe))
            return probe

    async def _opened(self, kept: _Kept, record: Record) -> Target:
        """Its executor, opened with the settings that are wanted now."""
        if kept.target is not None and kept.opened_with == _wanted(record) and not self.opener.ended(kept.uid):
            return kept.target
        assert kept.at is not None
        settings = await whole_settings(self.services, record)
        plugin = self.services.registry.executor(kept.at.executor)
        if kept.target is not None:
            await self._close(kept)
        executor = await self.opener.open(Declared(kept.at, kept.uid, settings))
        kept.target, kept.opened_with = Target(kept.at, executor, plugin.isolated), _wanted(record)
        return kept.target

    async def _reach(self, kept: _Kept, target: Target, probe: Probe) -> None:
        """Use it from now on, if its bodies are where this server is."""
        target.learn(probe)
        leasing = self.services.leasing
        why = None
        if not leasing.leases.alone:
            why = await out_of_reach(self.services.store, target, server=leasing.server, alive=leasing.alive)
        if why is not None:
            self.services.targets.drop(target.at, why)
            raise UnavailableError(why, reason="OutOfReach", hint="give it the same settings everywhere")
        if target.at not in self.services.targets.opened:
            self.services.targets.put(target)
            await self._announce()

    async def _announce(self) -> None:
        """Tell the other servers at once what is reached from here: they leave agents there to this one."""
        if self.services.leasing.leases.alone or not self._begun:
            return
        try:
            await self.services.leasing.beat()
        except SacError as error:  # the next beat tells it
            log.info("cannot tell which targets are reached: %s", error)

    async def _failed(self, kept: _Kept, record: Record, error: SacError, turn: Callable[..., TargetStatus]) -> Probe:
        """Say so; raises ``error`` as what it means to others: `UnavailableError`."""
        assert kept.at is not None
        kept.failures += 1
        if kept.at not in self.services.targets.opened:
            self.services.targets.drop(kept.at, str(error))
        reason, told = error.reason, str(error)
        await self._tell(record, lambda status, now, generation: turn(status, now, generation, reason, told))
        raise UnavailableError(error.message, reason=error.reason, field=error.field, hint=error.hint) from error

    async def _close(self, kept: _Kept) -> None:
        """Use it no more, as it was opened."""
        if kept.at is None:
            return
        self.services.targets.drop(kept.at)
        kept.target = None
        for record in await agents_at(self.services.store.read(EVERYWHERE), kept.at):
            self.services.bodies.leave(record.uid)
        await self.opener.close(kept.uid)

    async def _tell(self, seen: Record, turn: Turn) -> None:
        """Write what was ``seen``, if it is news, where it is this server that looks after it."""
        services = self.services
        if self._turned(seen, turn) == seen.status or services.leasing.left <= 0:
            return
        try:
            if not await services.leasing.leases.take("Target", seen.uid):
                return
            async with services.store.transaction(EVERYWHERE) as unit:
                now = await unit.by_uid("Target", seen.uid)
                if now.generation == seen.generation:
                    await unit.update(replace(now, status=self._turned(now, turn)))
        except (ConflictError, NotFoundError):
            return

    def _turned(self, record: Record, turn: Turn) -> dict[str, Any]:
        status = TargetStatus.model_validate(record.status)
        return turn(status, self.services.now(), record.generation).to_wire()


def _wanted(record: Record) -> Wanted:
    return record.spec.get("settings", {}), record.status.get("sealedVersion", 0)


def _pause(failures: int) -> float:
    """Seconds until the next look: soon after a failure, then less and less often."""
    seconds = min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** min(failures - 1, 10)) if failures else _AGAIN
    return float(seconds * random.uniform(0.8, 1.2))


@asynccontextmanager
async def open_targets(services: Services, opener: TargetOpener) -> AsyncIterator[TargetKeeper]:
    """The declared targets, kept until the context is left; bodies go on."""
    async with background() as group:
        keeper = TargetKeeper(services, opener, group)
        await keeper.begin()
        try:
            yield keeper
        finally:
            services.targets.look = None
