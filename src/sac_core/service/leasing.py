"""This server's share of the agents: beats, claims what is nobody's, gives up what is too much, knows what is its own.

Nothing is done for an agent that another server owns, nor when this server cannot be sure that it is still alive in
the others' eyes: it stops some seconds before they take over, by its own monotonic clock, from before it beat.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from sac_core.contracts.background import background
from sac_core.contracts.leases import Leases, Living
from sac_core.contracts.store import EVERYWHERE, Query, Record, Requirement, Store
from sac_core.errors import SacError
from sac_core.models.placement import placement_in

log = logging.getLogger("sac.leases")

_MARGIN = 1 / 6
"""The part of its lease that a server leaves unused, for clocks that go at different speeds."""
_BEAT = 1 / 3
_LOOK = 1 / 10
"""The part of a lease after which a server looks again for agents that are nobody's."""
_BATCH = 500
_SLACK = 8
"""Agents more than its share that a server keeps, so that nothing moves for a trifle."""
_LEAVE_DEADLINE = 5.0


@dataclass(slots=True)
class Leasing:
    """What this server may work on. ``ttl`` seconds after its last beat the others take over what it owns.

    ``reached`` tells which targets it reaches now, by `Placement.key`.
    """

    leases: Leases
    store: Store
    reached: Callable[[], frozenset[str]]
    ttl: float
    on_claimed: Callable[[str], None] = field(default=lambda uid: None)
    busy: Callable[[str], bool] = field(default=lambda uid: False)
    living: Mapping[str, Living] = field(default_factory=dict)
    _until: float = 0.0
    _yields_until: float = 0.0

    @property
    def server(self) -> str:
        """This server's id."""
        return self.leases.server

    @property
    def left(self) -> float:
        """Seconds for which this server may still act on what it owns."""
        return self._until - time.monotonic()

    def owns(self, owner: str | None) -> bool:
        """Whether what ``owner`` owns is this server's, and it may act on it now."""
        return owner == self.server and self.left > 0

    def alive(self, server: str) -> bool:
        """Whether a server was alive at the last beat; this one always is."""
        return server == self.server or server in self.living

    def others(self) -> frozenset[str]:
        """The other servers that were alive at the last beat."""
        return frozenset(self.living) - {self.server}

    @property
    def _elsewhere(self) -> frozenset[str]:
        """The targets that other living servers reach, and this one does not."""
        return frozenset[str]().union(*(living.targets for living in self.living.values())) - self.reached()

    async def beat(self) -> None:
        """Stay alive for another ``ttl`` seconds."""
        sent = time.monotonic()
        self.living = await self.leases.beat(self.reached(), ttl=self.ttl)
        self._until = math.inf if self.leases.alone else sent + self.ttl * (1 - _MARGIN)

    async def claim(self) -> None:
        """Own what is nobody's and can be served here, or by nobody."""
        if self.left <= 0 or time.monotonic() < self._yields_until:
            return
        while uids := await self.leases.claim(but=self._elsewhere, limit=_BATCH):
            log.info("took over %d agents", len(uids))
            for uid in uids:
                self.on_claimed(uid)

    async def hand_over(self) -> None:
        """Give up what this server cannot serve and another one can."""
        elsewhere = self._elsewhere
        if not elsewhere:
            return
        executors = {key.partition("/")[0] for key in elsewhere}
        served = (Requirement("status.executor", "in", tuple(sorted(executors))),)
        page = await self.store.read(EVERYWHERE).list("Agent", Query(owner=self.server, fields=served))
        theirs = [record.uid for record in page.items if _placed(record) in elsewhere]
        if theirs:
            await self.leases.give_up("Agent", theirs)
            log.info("gave up %d agents for a server that reaches their target", len(theirs))

    async def share(self) -> None:
        """Give up what is more than this server's part, for others that can serve the same; they look for it soon."""
        able = [living for living in self.living.values() if living.targets >= self.reached()]
        mine = next((living.agents for living in able if living.server == self.server), 0)
        part = math.ceil(sum(living.agents for living in able) / max(len(able), 1))
        if mine > part + _SLACK:
            uids = await self._spare(min(mine - part, _BATCH))
            await self.leases.give_up("Agent", uids)
            self._yields_until = time.monotonic() + 2 * _LOOK * self.ttl
            log.info("gave up %d agents for other servers", len(uids))

    async def _spare(self, count: int) -> Sequence[str]:
        page = await self.store.read(EVERYWHERE).list("Agent", Query(owner=self.server))
        return [record.uid for record in page.items if not self.busy(record.uid)][:count]

    async def run(self) -> None:
        """Beat and claim until cancelled; a database that does not answer is asked again soon."""
        due = time.monotonic() + _BEAT * self.ttl
        while True:
            await anyio.sleep(_LOOK * self.ttl * random.uniform(0.8, 1.2))
            try:
                if not self.leases.alone and time.monotonic() >= due:
                    await self.beat()
                    due = time.monotonic() + _BEAT * self.ttl * random.uniform(0.9, 1.1)
                    await self.hand_over()
                    await self.share()
                await self.claim()
            except SacError as error:
                log.warning("cannot renew what this server owns: %s", error)
            except Exception:
                log.exception("a fault while renewing what this server owns")


@asynccontextmanager
async def open_leasing(
    leases: Leases, store: Store, reached: Callable[[], frozenset[str]], ttl: float
) -> AsyncIterator[Leasing]:
    """The leases of a server that is alive until the context is left; then all it owned is nobody's at once."""
    leasing = Leasing(leases, store, reached, ttl)
    await leasing.beat()
    try:
        async with background() as group:
            group.start_soon(leasing.run)
            yield leasing
    finally:
        with anyio.move_on_after(_LEAVE_DEADLINE, shield=True):
            await _leave(leases)


def _placed(record: Record) -> str:
    at = placement_in(record.status)
    return at.key if at else ""


async def _leave(leases: Leases) -> None:
    try:
        await leases.leave()
    except SacError as error:  # the others take over when this server has been silent for long enough
        log.info("could not give up what this server owns: %s", error)
