"""Rotation of the root key: every data key is wrapped again, one by one; what is sealed is not touched.

At every moment each data key is under a root key that is given: a new one is kept before it is used, and an old one is
removed after nothing is under it. So it may be interrupted anywhere, and goes on at the next start.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

import anyio
from anyio import to_thread

from sac_core.contracts.sealing import DataKey, DataKeys, KeyRotation
from sac_core.errors import NotReadyError, SacError
from sac_core.models.keys import KeyStatus, RootKey
from sac_core.store.root_keys import RootKeys
from sac_core.store.sealing import DataKeySealing

log = logging.getLogger("sac.keys")

_BATCH = 100
_RETRY = 30.0
"""Seconds before a rotation that got stuck is tried again."""


class RootSource(Protocol):
    """Where root keys are kept. ``own``: SAC may change them. The methods wait for the disk."""

    name: str
    own: bool

    def load(self) -> RootKeys: ...

    def add(self) -> None:
        """Keep a new root key, as the active one."""

    def retire(self) -> None:
        """Remove all root keys but the active one."""


class RootRotation(KeyRotation):
    """Rotates. `run` does the work, until it is cancelled."""

    def __init__(self, keys: DataKeys, sealing: DataKeySealing, source: RootSource, roots: RootKeys) -> None:
        self._keys = keys
        self._sealing = sealing
        self._source = source
        self._roots = roots
        self._turn = anyio.Lock()
        self._wanted = anyio.Event()
        self._message = ""

    async def status(self) -> KeyStatus:
        used, active = await self._keys.count(), self._roots.active
        ids = dict.fromkeys((*self._roots.ids, *sorted(used)))
        return KeyStatus(
            source=self._source.name,
            roots=tuple(
                RootKey(id=id, active=id == active, given=id in self._roots.ids, data_keys=used.get(id, 0))
                for id in ids
            ),
            waiting=_waiting(used, active),
            done=not _waiting(used, active) and not self._left_over,
            message=self._message,
        )

    async def rotate(self) -> KeyStatus:
        async with self._turn:
            await self._load()
            if not await self._unfinished():
                await self._begin()
        self._wanted.set()
        return await self.status()

    async def run(self) -> None:
        """Finish what an earlier process began, then work whenever it is wanted."""
        while True:
            self._wanted = anyio.Event()
            try:
                async with self._turn:
                    await self._finish()
                self._message = ""
            except SacError as error:
                self._message = str(error)
                log.warning("the rotation of the root key does not get on: %s", error)
            with anyio.move_on_after(_RETRY if self._message else None):
                await self._wanted.wait()

    async def _load(self) -> None:
        self._roots = await to_thread.run_sync(self._source.load)
        await self._sealing.use(self._roots)

    async def _unfinished(self) -> bool:
        waits = _waiting(await self._keys.count(), self._roots.active)
        return bool(waits) or self._left_over

    @property
    def _left_over(self) -> bool:
        """Whether SAC keeps a root key that it has to remove."""
        return self._source.own and len(self._roots.ids) > 1

    async def _begin(self) -> None:
        if not self._source.own:
            raise NotReadyError(
                "every data key is under the active root key already",
                field=self._source.name,
                hint="put a new root key first, keep the old one behind it, and rotate again",
            )
        await to_thread.run_sync(self._source.add)
        await self._load()

    async def _finish(self) -> None:
        """Wrap again what is not under the active key; then no other one is needed."""
        stuck: SacError | None = None
        after = ("", 0)
        while batch := await self._keys.not_under(self._roots.active, after=after, limit=_BATCH):
            for key in batch:
                stuck = await self._rewrap(key) or stuck
            after = (batch[-1].tenant, batch[-1].version)
        if stuck is not None:
            raise stuck
        if self._left_over and set(await self._keys.count()) <= {self._roots.active}:
            await to_thread.run_sync(self._source.retire)
            await self._load()

    async def _rewrap(self, key: DataKey) -> SacError | None:
        """One that cannot be opened keeps the old root key, and the others do not wait for it."""
        try:
            await self._keys.replace(key, self._roots.rewrapped(key))
        except SacError as error:
            return error
        return None


def _waiting(used: Mapping[str, int], active: str) -> int:
    return sum(number for root, number in used.items() if root != active)
