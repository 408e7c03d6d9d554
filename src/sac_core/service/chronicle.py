"""Notes that come after the fact: kept for a moment, merged, and written together. Bounded, and never in the way."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import anyio

from sac_core.contracts.background import background
from sac_core.contracts.causes import About
from sac_core.contracts.store import EVERYWHERE, Store, Unit
from sac_core.errors import SacError
from sac_core.service.explaining import explain
from sac_core.service.notes import BODY, NO_BODY, Note

log = logging.getLogger("sac.timelines")

PAUSE = 0.5
"""Seconds between two writes of what was noted."""
AT_ONCE = 100
"""Agents whose notes are written in one transaction, so that other writers never wait long."""
MOST = 10_000
"""Agents that may wait to be written; what is noted of more of them is dropped, and said in the log."""
MOST_OF_ONE = 50
"""Notes of one agent that may wait."""

_LAST_WORDS = 5.0


@dataclass(slots=True)
class Chronicle:
    """The notes of this server that wait to be written, and what it has seen of each body."""

    store: Store
    now: Callable[[], datetime]
    server: str
    started: datetime
    _waiting: dict[About, list[Note]] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)
    _news: anyio.Event = field(default_factory=anyio.Event)

    def note(self, agent: About, *notes: Note) -> None:
        """Write them soon; one that repeats the last is counted with it."""
        if notes and agent not in self._waiting and len(self._waiting) >= MOST:
            log.warning("too much to write in timelines: what happened to agent %s is not noted", agent.agent)
            return
        waiting = self._waiting.setdefault(agent, [])
        for note in notes:
            if waiting and waiting[-1].key == note.key:
                note = replace(note, times=waiting.pop().times + note.times)
            waiting.append(note)
        del waiting[:-MOST_OF_ONE]
        self._news.set()

    async def tell(self, unit: Unit, agent: About, notes: Sequence[Note]) -> None:
        """Write them with what they explain, last in its unit, behind what waits of the same agent."""
        if notes:
            await explain(unit, agent, [*self._waiting.pop(agent, ()), *notes], self.now())

    async def seen_before(self, uid: str, key: str) -> str | None:
        """How a body was when it was last looked at, by this server or one before; None when it still is so."""
        if uid not in self._seen:
            newest = await self.store.causes(EVERYWHERE).newest_key(uid, BODY)
            self._seen[uid] = newest or NO_BODY
        known, self._seen[uid] = self._seen[uid], key
        return known if known != key else None

    def expects_another(self, uid: str) -> None:
        """A new body is asked for: should it end as the last one did, that is news."""
        self._seen[uid] = ""

    def meets(self, uid: str) -> bool:
        """Whether this server looks at the agent for the first time."""
        first = uid not in self._met
        self._met.add(uid)
        return first

    def forget(self, uid: str) -> None:
        """The agent is gone."""
        self._seen.pop(uid, None)
        self._met.discard(uid)

    async def keep_writing(self) -> None:
        """Write what waits, soon after it came, until cancelled."""
        while True:
            await self._news.wait()
            await anyio.sleep(PAUSE * random.uniform(0.8, 1.2))
            try:
                await self.write()
            except SacError as error:
                log.warning("cannot write timelines: %s", error)
            except Exception:
                log.exception("a fault while writing timelines")

    async def write(self) -> None:
        """Write all that waits now; what cannot be written goes on waiting."""
        self._news = anyio.Event()
        while self._waiting:
            taken: dict[About, list[Note]] = {}
            try:
                await self._write_some(taken)
            except BaseException:
                for agent, notes in taken.items():
                    self._waiting[agent] = [*notes, *self._waiting.get(agent, ())][-MOST_OF_ONE:]
                self._news.set()
                raise

    async def _write_some(self, taken: dict[About, list[Note]]) -> None:
        """Take notes inside the transaction: what is written meanwhile finds them here, or in the store."""
        async with self.store.transaction(EVERYWHERE) as unit:
            await unit.causes.hold()
            for agent in list(self._waiting)[:AT_ONCE]:
                taken[agent] = self._waiting.pop(agent)
                await explain(unit, agent, taken[agent], self.now())


@asynccontextmanager
async def open_chronicle(store: Store, now: Callable[[], datetime], server: str) -> AsyncIterator[Chronicle]:
    """A chronicle that writes until the context is left, and then what is left to write."""
    chronicle = Chronicle(store, now, server, now())
    async with background() as group:
        group.start_soon(chronicle.keep_writing)
        try:
            yield chronicle
        finally:
            with anyio.move_on_after(_LAST_WORDS, shield=True):
                await _last_words(chronicle)


async def _last_words(chronicle: Chronicle) -> None:
    try:
        await chronicle.write()
    except SacError as error:
        log.warning("what happened last is not in the timelines: %s", error)
