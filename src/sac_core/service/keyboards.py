"""Who types in a session whose viewers are at several servers: one server has its keyboard, as an entry that all see.

Each server hands the keyboard around among its own viewers. While it is the only one, nothing is written.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from sac_core.contracts.context import Entry, State
from sac_core.errors import ConflictError, SacError
from sac_core.models.process import TtySize
from sac_core.service.feed import Feed

log = logging.getLogger("sac.terminals")

LOOK = 1.0
"""Seconds after which a viewer at one server learns that the keyboard was taken at another."""
_KEPT = 86400.0
"""Seconds that an entry of a server that died may lie about."""


@dataclass(slots=True)
class Keyboards:
    """Of this server. ``others`` are the servers that are alive besides it."""

    state: State
    server: str
    others: Callable[[], frozenset[str]]
    feeds: dict[str, Feed] = field(default_factory=dict)
    _known: dict[str, Entry] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether no other server is alive."""
        return not self.others()

    async def take(self, uid: str, principal: str, size: TtySize, *, force: bool = False) -> bool:
        """Have it for a viewer here; False when another server has it, or keeps it for somebody else.

        When the database does not answer, the keyboard is this server's to give: who types must not wait for it.
        """
        if self.alone:
            return True
        try:
            return await self._take(uid, principal, size, force)
        except SacError as error:
            log.info("cannot ask who has the keyboard of session %s: %s", uid, error)
            return True

    async def release(self, uid: str, principal: str, grace: float) -> None:
        """Keep it for who had it here, for ``grace`` seconds."""
        if not self.alone and self._known.pop(uid, None) is not None:
            kept = {"server": self.server, "principal": principal, "free": True}
            try:
                await self.state.put(_key(uid), kept, ttl=grace)
            except SacError as error:
                log.info("cannot give up the keyboard of session %s: %s", uid, error)

    async def run(self) -> None:
        """Look for keyboards that were taken elsewhere, until cancelled."""
        while True:
            await anyio.sleep(LOOK * random.uniform(0.8, 1.2))
            if self.alone:
                continue
            try:
                for uid, feed in list(self.feeds.items()):
                    await self._look(uid, feed)
            except SacError as error:
                log.info("cannot look who types: %s", error)
            except Exception:
                log.exception("a fault while looking who types")

    async def _take(self, uid: str, principal: str, size: TtySize, force: bool) -> bool:
        entry = await self.state.get(_key(uid))
        if entry is not None and not force and not self._free(entry, principal):
            return False
        wanted = {"server": self.server, "principal": principal, "cols": size.cols, "rows": size.rows}
        try:
            expected = None if force else entry.version if entry else 0
            self._known[uid] = await self.state.put(_key(uid), wanted, expected=expected, ttl=_KEPT)
        except ConflictError:  # another server was quicker
            return False
        return True

    def _free(self, entry: Entry, principal: str) -> bool:
        server = entry.value["server"]
        mine = entry.value.get("free", False) and entry.value["principal"] == principal
        return server == self.server or server not in self.others() or mine

    async def _look(self, uid: str, feed: Feed) -> None:
        entry = await self.state.get(_key(uid))
        if entry is not None and entry.value["server"] in self.others():
            self._known.pop(uid, None)
            if entry.value.get("free"):
                feed.set_elsewhere(None)
            else:
                feed.set_elsewhere(TtySize(cols=entry.value["cols"], rows=entry.value["rows"]))
            return
        feed.set_elsewhere(None)
        controller = feed.controller
        if controller is not None and self._is_news(uid, feed.size):
            await self.take(uid, controller.principal, feed.size)

    def _is_news(self, uid: str, size: TtySize) -> bool:
        known = self._known.get(uid)
        return known is None or (known.value.get("cols"), known.value.get("rows")) != (size.cols, size.rows)


def _key(uid: str) -> str:
    return f"keyboard/{uid}"
