"""The recorder keeps the promises of stages, as every stage does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sac_core.contracts.context import PluginContext
from sac_core.contracts.stage import Stage
from sac_core.core.root_keys import open_keys
from sac_core.hooks.records import NoSettings
from sac_core.models.session import Session
from sac_core.service.recording.archive import Archive
from sac_core.service.recording.events import unpacked
from sac_core.service.recording.recorder import RecordingOffers
from sac_core.settings import Settings
from sac_core.store import open_sqlite_store
from sac_core.testing.stage_suite import StageContract


class TestRecorder(StageContract):
    archive: Archive

    def open_stage(self, context: PluginContext) -> AbstractAsyncContextManager[Stage]:
        return self._open(context)

    async def kept(self, stage: Stage, session: Session) -> bytes | None:
        record = await self.archive.find(session.metadata.uid)
        if record is None:
            return b""
        chunks = await self.archive.store.chunks().after(record.uid, 0, limit=1000)
        opened = [await self.archive.safe(record).opened(chunk) for chunk in chunks]
        events = (event for data in opened for event in unpacked(data))
        return b"".join(event.payload for event in events if event.kind == "output")

    @asynccontextmanager
    async def _open(self, context: PluginContext) -> AsyncIterator[Stage]:
        settings = Settings(data_dir=context.folder)
        async with open_sqlite_store(context.folder / "sac.db", server_id="server-1") as store:
            async with open_keys(settings, context.folder, store.data_keys()) as (sealing, _):
                self.archive = Archive(store, sealing, context.now)
                [offer] = RecordingOffers(self.archive, context.folder, days=1).sac_session_stages()
                async with offer.open(NoSettings(), context) as stage:
                    yield stage
