"""The rows of recordings, and the end of one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sac_core.contracts.sealing import Sealing
from sac_core.contracts.store import EVERYWHERE, Record, Store
from sac_core.errors import ConflictError, NotFoundError
from sac_core.models.kind import RECORDING
from sac_core.models.process import Exit
from sac_core.models.recording import Recording, RecordingSpec, RecordingStatus
from sac_core.models.session import Session
from sac_core.service import documents
from sac_core.service.recording.events import unpacked
from sac_core.service.recording.sealed import Safe
from sac_core.service.recording.seat import Place

_OWN = uuid.UUID("5e3ff1b8-6c1b-4b8f-9f0e-0a8f3a6f0c1d")
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Archive:
    """What recordings are made of and kept in."""

    store: Store
    sealing: Sealing
    now: Callable[[], datetime]

    def safe(self, record: Record) -> Safe:
        """Where a recording's chunks are kept."""
        return Safe(self.store.chunks(), self.sealing, record.tenant, record.uid)

    async def find(self, session_uid: str) -> Record | None:
        """The row of a session's recording."""
        try:
            return await self.store.read(EVERYWHERE).by_uid("Recording", uid_of(session_uid))
        except NotFoundError:
            return None

    async def begin(self, session: Session) -> Record:
        """A row for a session's recording, or the one that there is."""
        record = _record(session, self.now())
        for name in (session.metadata.name, f"{session.metadata.name[:46]}-{record.uid[:16]}"):
            try:
                async with self.store.transaction(EVERYWHERE) as unit:
                    return await unit.insert(replace(record, name=name))
            except ConflictError:
                known = await self.find(session.metadata.uid)
                if known is not None:
                    return known
        raise ConflictError(f"the name of recording {session.metadata.name!r} is taken", reason="AlreadyExists")

    async def end(self, uid: str, *, interrupted: bool = False) -> None:
        """Write down what is kept of a recording that has ended, or whose end nobody will see."""
        record = await self.store.read(EVERYWHERE).by_uid("Recording", uid)
        newest = await self.store.chunks().newest(uid)
        if newest is None and not interrupted:
            return
        place, exit = Place.behind(newest), None
        if newest is not None and newest.last:
            exit = _exit_in(await self.safe(record).opened(newest))
        await self._update(uid, lambda status: _ended(status, place, exit))

    async def remove(self, record: Record) -> None:
        """Remove a recording: what it keeps first, so that nothing is kept without a row."""
        await self.store.chunks().remove(record.uid)
        async with self.store.transaction(EVERYWHERE) as unit:
            await unit.remove(await unit.by_uid("Recording", record.uid))

    async def _update(self, uid: str, changed: Callable[[RecordingStatus], RecordingStatus]) -> None:
        for last in (*(False,) * _TRIES, True):
            try:
                async with self.store.transaction(EVERYWHERE) as unit:
                    record = await unit.by_uid("Recording", uid)
                    await unit.update(replace(record, status=changed(recording_model(record).status).to_wire()))
                return
            except NotFoundError:
                return
            except ConflictError:
                if last:
                    raise


def uid_of(session_uid: str) -> str:
    """The uid of a session's recording."""
    return uuid.uuid5(_OWN, session_uid).hex


def recording_model(record: Record) -> Recording:
    """The model of a recording's row."""
    model: Recording = documents.to_model(RECORDING, record)
    return model


def _record(session: Session, now: datetime) -> Record:
    spec = RecordingSpec(
        session=session.metadata.name,
        session_uid=session.metadata.uid,
        agent=session.spec.agent,
        agent_uid=session.status.agent_uid,
        policy=session.spec.recording or "off",
        command=session.spec.command,
        tty=session.spec.tty,
    )
    return Record(
        kind="Recording",
        tenant=session.metadata.namespace,
        name=session.metadata.name,
        uid=uid_of(session.metadata.uid),
        owner=session.metadata.owner,
        spec=spec.to_wire(),
        status=RecordingStatus(started_at=now).to_wire(),
        labels=dict(session.metadata.labels),
    )


def _exit_in(data: bytes) -> Exit | None:
    return next((event.exit for event in unpacked(data) if event.kind == "exit"), None)


def _ended(status: RecordingStatus, place: Place, exit: Exit | None) -> RecordingStatus:
    seconds = place.micros / 1e6
    update: dict[str, Any] = {
        "phase": "Complete" if exit is not None else "Interrupted",
        "reason": exit.reason if exit is not None else "EndNotSeen",
        "ended_at": status.started_at + timedelta(seconds=seconds) if status.started_at else None,
        "duration": seconds,
        "bytes": place.offset,
        "missed": place.missed,
        "chunks": place.number,
        "digest": place.digest,
        "exit": exit,
    }
    return status.model_copy(update=update)
