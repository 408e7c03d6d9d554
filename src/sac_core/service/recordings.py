"""Recordings of one scope: finding them, reading them as asciicast, deleting them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sac_core.contracts.sac import Recordings
from sac_core.contracts.store import Record
from sac_core.errors import ConflictError, NotFoundError
from sac_core.models.recording import Recording
from sac_core.service.recording.archive import Archive, recording_model
from sac_core.service.recording.cast import Cast, header
from sac_core.service.recording.events import unpacked
from sac_core.service.recording.sealed import broken
from sac_core.service.resources import StoredResources, allow

_PIECE = 64 * 1024


class RecordingService(StoredResources[Recording], Recordings):
    """Recordings of one scope."""

    fields = ("metadata.name", "status.phase", "spec.agent", "spec.session", "spec.agentUid", "spec.sessionUid")

    async def cast(self, name: str) -> AsyncIterator[bytes]:
        allow(self._scope, "recordings:cast")
        record = await self._read(name)
        recording = recording_model(record)
        safe, cast, piece = self._archive.safe(record), Cast(), bytearray(header(recording))
        number, digest = 0, ""
        async for chunk, data in safe.all():
            number, digest = chunk.number, chunk.digest
            for event in unpacked(data):
                for line in cast.lines(event):
                    piece += line
                if len(piece) >= _PIECE:
                    yield bytes(piece)
                    piece.clear()
        piece += b"".join(cast.rest())
        told = recording.status
        if told.phase != "Recording" and (told.chunks, told.digest) != (number, digest):
            raise broken("its end is missing")
        yield bytes(piece)

    async def delete(self, name: str, *, resource_version: str | None = None) -> None:
        self._allow("delete")
        async with self._services.store.transaction(self._scope) as unit:
            record = await self._guarded(unit, name, resource_version)
        if recording_model(record).status.phase == "Recording" and await self._is_there(record):
            raise ConflictError(
                f"recording {name!r} is still going on", reason="Recording", hint="end its session first"
            )
        await self._archive.remove(record)

    @property
    def _archive(self) -> Archive:
        return Archive(self._services.store, self._services.sealing, self._services.now)

    async def _is_there(self, record: Record) -> bool:
        """Whether the session is there to be recorded further."""
        try:
            uid = recording_model(record).spec.session_uid
            session = await self._services.store.read(self._scope).by_uid("Session", uid)
        except NotFoundError:
            return False
        return session.status.get("phase") != "Ended"
