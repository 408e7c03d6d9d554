"""Looking after targets: bodies there that nobody claims are removed, and what an executor hints at is looked at."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from sac_core.contracts.executor import Resync
from sac_core.errors import NotFoundError, SacError
from sac_core.models.body import Observed
from sac_core.service.agent_work import CALL_DEADLINE, GRACE
from sac_core.service.calm import as_seen
from sac_core.service.reach import agents_at
from sac_core.service.services import EVERYWHERE, Services
from sac_core.service.targets import Target

log = logging.getLogger("sac.reconciler")

_AFTER_ERROR = 5.0


@dataclass(slots=True)
class Attending:
    """Looks after every target from when it is opened until it is closed. ``hint``: there may be something to do."""

    services: Services
    group: TaskGroup
    resync: float
    hint: Callable[[str], None]
    hint_all: Callable[[], Awaitable[None]]
    _attended: dict[Target, anyio.CancelScope] = field(default_factory=dict)

    def start(self) -> None:
        """Begin with those that are open."""
        targets = self.services.targets
        targets.on_open, targets.on_close = self._opened, self._closed
        for target in targets:
            self._begin(target)

    def stop(self) -> None:
        """Listen no more."""
        targets = self.services.targets
        targets.on_open = targets.on_close = lambda target: None

    def _opened(self, target: Target) -> None:
        """Agents may have waited for it."""
        self._begin(target)
        self.group.start_soon(self._hint_on, target)

    def _closed(self, target: Target) -> None:
        scope = self._attended.pop(target, None)
        if scope is not None:
            scope.cancel()

    def _begin(self, target: Target) -> None:
        scope = self._attended[target] = anyio.CancelScope()
        self.group.start_soon(self._attend, target, scope)

    async def _attend(self, target: Target, scope: anyio.CancelScope) -> None:
        with scope:
            async with anyio.create_task_group() as group:
                group.start_soon(self._compare, target)
                group.start_soon(self._watch, target)

    async def _hint_on(self, target: Target) -> None:
        try:
            for record in await agents_at(self.services.store.read(EVERYWHERE), target.at):
                self.hint(record.uid)
        except SacError as error:
            log.warning("cannot read which agents are on target %s: %s", target.name, error)

    async def _compare(self, target: Target) -> None:
        """Compare what runs on a target with what is declared, now and every `resync` seconds with jitter."""
        while True:
            try:
                with anyio.fail_after(CALL_DEADLINE * 4):
                    # bodies first, rows after: a body's row is committed before the body is made
                    bodies = {body.key.uid: body async for body in target.executor.bodies()}
                    await self._judge(target, bodies)
                    if not target.known:  # it was not reachable when it was opened
                        target.learn(await target.executor.probe())
            except (SacError, TimeoutError) as error:
                level = logging.WARNING if target.needed or await self._missed(target) else logging.INFO
                log.log(level, "cannot compare target %s: %s", target.name, error)
                await self._hint_on(target)
            except Exception:
                log.exception("a fault of executor %s while listing bodies", target.name)
                await self._hint_on(target)
            await anyio.sleep(self.resync * random.uniform(0.9, 1.1))

    async def _judge(self, target: Target, bodies: Mapping[str, Observed]) -> None:
        """Look at the agents whose bodies are not what they are thought to be, and remove what is nobody's."""
        records = {record.uid: record for record in await agents_at(self.services.store.read(EVERYWHERE), target.at)}
        for record in records.values():
            if not as_seen(record, bodies.get(record.uid)):
                self.hint(record.uid)
        await self._remove_orphans(target, [body for uid, body in bodies.items() if uid not in records])

    async def _missed(self, target: Target) -> bool:
        """Whether anybody suffers from a target that does not answer."""
        try:
            return bool(await agents_at(self.services.store.read(EVERYWHERE), target.at))
        except SacError:
            return True

    async def _remove_orphans(self, target: Target, bodies: list[Observed]) -> None:
        """What an agent claims is left alone, on another target too: two may be names of one place."""
        for body in bodies:
            try:
                await self.services.store.read(EVERYWHERE).by_uid("Agent", body.key.uid)
            except NotFoundError:
                log.warning("removing body %s (%s): no agent claims it", body.key.uid, body.key.agent)
                await self._remove(target, body)

    async def _remove(self, target: Target, body: Observed) -> None:
        try:
            await target.executor.delete(body.key, generation=body.generation, grace=GRACE, purge=True)
        except SacError as error:  # the next comparison tries again, and the others are not kept waiting
            log.warning("cannot remove body %s: %s", body.key.uid, error)

    async def _watch(self, target: Target) -> None:
        """Follow an executor's hints, where it gives any."""
        while True:
            try:
                if target.watches:  # that may become known later
                    await self._follow(target)
            except SacError as error:
                log.info("hints of target %s ended: %s", target.name, error)
            except Exception:
                log.exception("a fault of executor %s while watching", target.name)
            await anyio.sleep((_AFTER_ERROR if target.watches else self.resync) * random.uniform(0.5, 1.0))

    async def _follow(self, target: Target) -> None:
        async for hint in target.executor.watch():
            if isinstance(hint, Resync):
                await self.hint_all()
            else:
                self.hint(hint.uid)
