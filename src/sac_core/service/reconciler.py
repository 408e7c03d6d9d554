"""What keeps everything true: looks at agents and sessions at start, on hints, when due, and every half minute.

The half minute is for what is not calm: an agent without sessions that runs as it is declared is compared with the list
of bodies, and looked at itself every ten minutes. Five hundred idle agents would keep a seventh of a core busy else.

Nothing here is remembered: the queue is only hints, deadlines are in the store, and every step reads what is there now.
"""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
from anyio.abc import TaskGroup

from sac_core.contracts.background import background
from sac_core.contracts.store import Query, Record
from sac_core.errors import ConflictError, ExpiredError, LostError, NotFoundError, SacError
from sac_core.models.change import Change
from sac_core.models.kind import AGENT, SESSION
from sac_core.models.process import Exit
from sac_core.service import documents
from sac_core.service.agent_keeper import AgentKeeper
from sac_core.service.attending import Attending
from sac_core.service.bodies import MAIN, PREPARING
from sac_core.service.calm import calm
from sac_core.service.secret_binding import users_of
from sac_core.service.services import EVERYWHERE, Services
from sac_core.service.session_keeper import SessionKeeper

log = logging.getLogger("sac.reconciler")

_AT_ONCE = 16
_SWEEP = 5.0
_AFTER_ERROR = 5.0
_AFTER_LOSS = 1.0
_WHOLE, _KNOCK = 20, 4
"""Of so many resyncs, one is for every agent however calm it is; and one asks its body whether it answers."""
_KEPT_CHANGES = 100_000
_KEPT_CAUSES = timedelta(days=30)
_HOOKS = {"Agent": ("sac_agent_event", AGENT), "Session": ("sac_session_event", SESSION)}

Item = tuple[str, str]
"""A kind and a uid."""


@dataclass(slots=True)
class Reconciler:
    """Steps one thing at a time per uid, several things at once."""

    services: Services
    group: TaskGroup
    resync: float
    _active: dict[Item, bool] = field(default_factory=dict)
    _due: dict[Item, float] = field(default_factory=dict)
    _secrets: set[tuple[str, str]] = field(default_factory=set)
    _limit: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_AT_ONCE))

    def start(self, since: int) -> None:
        """Begin: everything is looked at once, then on every reason to look again."""
        bodies = self.services.bodies
        bodies.on_exit = self._exited
        bodies.on_lost = lambda uid: self.hint("Agent", uid)
        self.services.leasing.on_claimed = lambda uid: self.hint("Agent", uid)
        self.services.leasing.busy = lambda uid: ("Agent", uid) in self._active
        self.group.start_soon(self._claim)
        self.group.start_soon(self._follow, since)
        self.group.start_soon(self._sweep)
        self.group.start_soon(self._resync)

    def stop(self) -> None:
        """Listen no more: what the ways into bodies tell from now on is for the next one."""
        bodies = self.services.bodies
        bodies.on_exit = lambda uid, process_id, exit: None
        bodies.on_lost = lambda uid: None

    def hint(self, kind: str, uid: str) -> None:
        """There may be something to do; many hints are one look."""
        item = (kind, uid)
        if item in self._active:
            self._active[item] = True
        else:
            self._active[item] = False
            self.group.start_soon(self._work, item)

    def _exited(self, uid: str, process_id: str, exit: Exit) -> None:
        if _kept(process_id):
            self.hint("Agent", uid)
        else:
            self.hint("Session", process_id)

    async def _work(self, item: Item) -> None:
        kind, uid = item
        keeper = AgentKeeper(self.services) if kind == "Agent" else SessionKeeper(self.services)
        try:
            async with self._limit:
                self._active[item] = False
                again = await self._settled(keeper, uid)
        finally:
            hinted = self._active.pop(item)
        if hinted:
            self.hint(kind, uid)
        elif again is not None and again < _SWEEP:
            self._due[item] = due = anyio.current_time() + again
            self.group.start_soon(self._later, item, due)

    async def _settled(self, keeper: AgentKeeper | SessionKeeper, uid: str) -> float | None:
        """Take a step; whatever it raises ends nothing but the step."""
        try:
            return await keeper.settle(uid)
        except (ConflictError, NotFoundError):
            return 0.05
        except LostError as error:  # what a stop or a delete ends is lost to whoever looks at it at that moment
            log.info("%s went away while it was looked at: %s", uid, error)
            return _AFTER_LOSS * random.uniform(0.9, 1.1)
        except SacError as error:
            log.warning("could not settle %s: %s", uid, error)
        except Exception:
            log.exception("a fault while settling %s", uid)
        return _AFTER_ERROR * random.uniform(0.5, 0.9)

    async def _later(self, item: Item, due: float) -> None:
        """The newest step says when to look again; every hint in between would else begin a row of looks of its own."""
        await anyio.sleep_until(due)
        if self._due.get(item) == due:
            del self._due[item]
            self.hint(*item)

    async def _claim(self) -> None:
        """Take over at once what is nobody's when this server begins."""
        try:
            await self.services.leasing.claim()
        except SacError as error:
            log.warning("cannot take over agents yet: %s", error)

    async def _follow(self, since: int) -> None:
        """Hint at what changes, and tell plugins."""
        store = self.services.store
        while True:
            try:
                changes = await store.changes(EVERYWHERE, since)
                for change in changes:
                    since = change.version
                    self._changed(change)
                if not changes:
                    await store.wait_changed(since, 30.0)
            except ExpiredError:
                since = await store.version()
                await self.hint_all()
            except SacError as error:
                log.warning("cannot read changes: %s", error)
                await anyio.sleep(_AFTER_ERROR * random.uniform(0.5, 1.0))
            except Exception:  # the change that cannot be told is passed over, for `since` is behind it
                log.exception("a fault while telling changes")

    def _changed(self, change: Change[Record]) -> None:
        record = change.object
        if record.kind == "Target":
            self.services.targets.changed(change)
            return
        others = record.owner_server is not None and record.owner_server in self.services.leasing.others()
        if not others and (record.kind == "Agent" or record.deleted_at is not None):
            self.hint(record.kind, record.uid)
        if record.kind == "Session" and change.verb == "DELETED":
            self.services.stages.forget(record.uid)
        if record.kind == "Secret":
            self._secret_changed(record)
        if record.kind in _HOOKS:
            hook, kind = _HOOKS[record.kind]
            if hook in self.services.registry.told:
                event = Change(change.verb, change.version, documents.to_model(kind, record))
                self.services.registry.tell(hook, event)

    def _secret_changed(self, record: Record) -> None:
        """Have a look at the agents that use it; many changes at once are one search."""
        if not self._secrets:
            self.group.start_soon(self._hint_users)
        self._secrets.add((record.tenant, record.name))

    async def _hint_users(self) -> None:
        secrets, self._secrets = self._secrets, set()
        try:
            for uid in await users_of(self.services.store, secrets):
                self.hint("Agent", uid)
        except SacError as error:
            log.warning("cannot read which agents use a changed secret: %s", error)

    async def _sweep(self) -> None:
        """Hint at what is due by the store's deadlines; forget what is too old."""
        while True:
            try:
                for kind in _HOOKS:
                    due = Query(due_before=self.services.now())
                    for record in (await self.services.store.read(EVERYWHERE).list(kind, due)).items:
                        self.hint(kind, record.uid)
                oldest = self.services.now() - _KEPT_CAUSES
                await self.services.store.prune(keep=_KEPT_CHANGES, causes_since=oldest)
            except SacError as error:
                log.warning("cannot look for what is due: %s", error)
            except Exception:
                log.exception("a fault while looking for what is due")
            await anyio.sleep(_SWEEP * random.uniform(0.9, 1.1))

    async def hint_all(self) -> None:
        """There may be something to do for every agent."""
        for record in (await self.services.store.read(EVERYWHERE).list("Agent")).items:
            self.hint("Agent", record.uid)

    async def _resync(self) -> None:
        """Look at agents, now and every `resync` seconds with jitter: at all of them, or at those that are not calm."""
        for number in itertools.count():
            try:
                if number % _WHOLE:
                    await self._hint_restless(number)
                else:
                    await self.hint_all()
            except SacError as error:
                log.warning("cannot read which agents there are: %s", error)
            await anyio.sleep(self.resync * random.uniform(0.9, 1.1))

    async def _hint_restless(self, number: int) -> None:
        """Of those that are calm, and have no sessions, it is enough that their body answers now and then."""
        reader = self.services.store.read(EVERYWHERE)
        used = {record.status.get("agentUid") for record in (await reader.list("Session")).items}
        for index, record in enumerate((await reader.list("Agent")).items):
            if record.uid in used or not calm(record, self.services.bodies):
                self.hint("Agent", record.uid)
            elif (index + number) % _KNOCK == 0:
                self.group.start_soon(self._knock, record.uid, random.uniform(0, self.resync / 2))

    async def _knock(self, uid: str, after: float) -> None:
        await anyio.sleep(after)
        body = self.services.bodies.entered(uid)
        try:
            if body is not None and not all(_kept(process.id) for process in await body.list()):
                self.hint("Agent", uid)
        except SacError as error:
            log.info("body %s does not answer: %s", uid, error)
            self.hint("Agent", uid)
        except Exception:
            log.exception("a fault while asking body %s", uid)
            self.hint("Agent", uid)


def _kept(process_id: str) -> bool:
    """Whether a process is the agent's own: any other has a session, or nobody claims it."""
    return process_id == MAIN or process_id.startswith(PREPARING)


@asynccontextmanager
async def open_reconciler(services: Services, *, resync: float) -> AsyncIterator[Reconciler]:
    """A reconciler that works until the context is left; bodies go on."""
    async with background() as group:
        reconciler = Reconciler(services, group, resync)
        attending = Attending(
            services, group, resync, hint=lambda uid: reconciler.hint("Agent", uid), hint_all=reconciler.hint_all
        )
        reconciler.start(await services.store.version())
        attending.start()
        try:
            yield reconciler
        finally:
            attending.stop()
            reconciler.stop()
