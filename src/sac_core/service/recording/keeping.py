"""For how long recordings are kept, and the end of those whose session has gone without one."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio

from sac_core.contracts.background import background
from sac_core.contracts.store import EVERYWHERE, Query, Record
from sac_core.errors import NotFoundError, SacError
from sac_core.models.recording import Recording
from sac_core.service.recording.archive import Archive, recording_model

log = logging.getLogger("sac.recording")

SWEEP = 60.0
_PAGE = 200


class Sweep:
    """Looks at all recordings. One without a session is looked at twice before it counts as interrupted."""

    def __init__(self, archive: Archive, *, days: float) -> None:
        self._archive = archive
        self._kept_for = timedelta(days=days)
        self._suspects: set[str] = set()

    async def run(self) -> None:
        """Again and again."""
        while True:
            try:
                await self.once()
            except SacError as error:
                log.warning("cannot look through the recordings: %s", error)
            except Exception:
                log.exception("a fault while looking through the recordings")
            await anyio.sleep(SWEEP * random.uniform(0.9, 1.1))

    async def once(self) -> None:
        """Remove what is too old, end what nobody records any more."""
        suspects: set[str] = set()
        after: str | None = None
        while True:
            page = await self._archive.store.read(EVERYWHERE).list("Recording", Query(limit=_PAGE, after=after))
            for record in page.items:
                await self._look(record, recording_model(record), suspects)
            after = page.next
            if after is None:
                break
        self._suspects = suspects

    async def _look(self, record: Record, recording: Recording, suspects: set[str]) -> None:
        if recording.status.phase == "Recording":
            if await self._abandoned(recording):
                await self._suspected(record, suspects)
            return
        ended = recording.status.ended_at or record.created_at
        if ended is not None and ended + self._kept_for <= self._archive.now():
            log.info("removing recording %s: it is older than is kept", record.name)
            await self._archive.remove(record)

    async def _suspected(self, record: Record, suspects: set[str]) -> None:
        if record.uid in self._suspects:
            await self._archive.end(record.uid, interrupted=True)
        else:
            suspects.add(record.uid)

    async def _abandoned(self, recording: Recording) -> bool:
        """Whether the session has gone, so that nobody will see its end."""
        try:
            await self._archive.store.read(EVERYWHERE).by_uid("Session", recording.spec.session_uid)
        except NotFoundError:
            return True
        return False


@asynccontextmanager
async def keeping(archive: Archive, *, days: float) -> AsyncIterator[None]:
    """Recordings are swept until the context is left."""
    async with background() as group:
        group.start_soon(Sweep(archive, days=days).run)
        yield
