"""The recorder: a stage that keeps what sessions print, by the policy that each of them has."""

from __future__ import annotations

import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sac_core.contracts.context import PluginContext
from sac_core.contracts.stage import Need, Seat, Stage
from sac_core.errors import UnavailableError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import StagePlugin
from sac_core.models.session import Session
from sac_core.service.recording.archive import Archive, recording_model
from sac_core.service.recording.keeping import keeping
from sac_core.service.recording.seat import Place, RecorderSeat
from sac_core.service.recording.writing import ChunkWriter, open_chunk_writer

log = logging.getLogger("sac.recording")

NAME = "recorder"
LOW_DISK = 0.05
"""The part of the disk that must be free for a strict recording to begin."""


class Recorder(Stage):
    """One row of kind Recording for each session, and its chunks."""

    lost_reason = "RecordingLost"

    def __init__(self, archive: Archive, writer: ChunkWriter, free: Callable[[], float]) -> None:
        self._archive = archive
        self._writer = writer
        self._free = free

    def need(self, session: Session) -> Need:
        policy = session.spec.recording or "off"
        return "none" if policy == "off" else policy

    async def begin(self, session: Session) -> Seat:
        record = await self._archive.find(session.metadata.uid)
        if record is None:
            self._check_room(session)
            record = await self._archive.begin(session)
        place = Place.behind(await self._archive.store.chunks().newest(record.uid))
        started = recording_model(record).status.started_at or self._archive.now()
        uid = record.uid

        async def complete() -> None:
            await self._archive.end(uid)

        return RecorderSeat(self._archive.safe(record), self._writer, place, started, complete)

    def _check_room(self, session: Session) -> None:
        if session.spec.recording == "strict" and self._free() < LOW_DISK:
            raise UnavailableError(
                f"less than {LOW_DISK:.0%} of the disk is free, so no strict recording begins",
                reason="StorageLow",
                hint="free some space under SAC_DATA_DIR",
            )


def free_part(folder: Path) -> float:
    """The part of a folder's disk that is free."""
    usage = shutil.disk_usage(folder)
    return usage.free / usage.total


class RecordingOffers:
    """The plugin: it offers the recorder through the hook that every stage uses."""

    def __init__(self, archive: Archive, folder: Path, *, days: float) -> None:
        self._archive = archive
        self._folder = folder
        self._days = days

    @hookimpl
    def sac_session_stages(self) -> Iterable[StagePlugin]:
        return [StagePlugin(name=NAME, summary="Keeps what sessions print, sealed, to be replayed.", open=self._open)]

    @asynccontextmanager
    async def _open(self, settings: Any, context: PluginContext) -> AsyncIterator[Stage]:
        archive = self._archive
        async with open_chunk_writer(archive.store.chunks()) as writer, keeping(archive, days=self._days):
            yield Recorder(archive, writer, lambda: free_part(self._folder))
