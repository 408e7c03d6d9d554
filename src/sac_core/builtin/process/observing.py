"""From a body's folder to what the executor says of it."""

from __future__ import annotations

from datetime import datetime

from sac_core.builtin.process.folder import BodyFolder, BodyRecord
from sac_core.models.body import Key, Observed


def absent(key: Key, now: datetime) -> Observed:
    """There is nothing of ours."""
    return Observed(key=key, phase="absent", observed_at=now)


def removed(key: Key, folder: BodyFolder, now: datetime) -> Observed:
    """There is no body any more; its working folder may have been kept."""
    if folder.record("volume.json") is None:
        return absent(key, now)
    return Observed(
        key=key, phase="absent", kept="disk", message=f"its files are kept in {folder.work}", observed_at=now
    )


def observed(folder: BodyFolder, record: BodyRecord, now: datetime) -> Observed:
    """What is there now."""
    seen = Observed(
        key=Key(record.tenant, record.agent, record.uid),
        phase="terminating",
        hash=record.hash,
        generation=record.generation,
        kept="disk",
        observed_at=now,
    )
    if record.state == "deleting":
        return seen
    change = _living(folder, record) if folder.alive() else _dead(folder, record)
    return seen.model_copy(update=change)


def _living(folder: BodyFolder, record: BodyRecord) -> dict[str, object]:
    if record.state != "running":
        return {"phase": "terminating"}
    if folder.holder() is None:
        return {"phase": "pending", "progress": "starting the holder"}
    return {"phase": "running", "holder": True}


def _dead(folder: BodyFolder, record: BodyRecord) -> dict[str, object]:
    if record.state == "stopped":
        return {"phase": "stopped"}
    if record.state == "ending":
        return {"phase": "exited"}
    said = _last_words(folder)
    if said:
        return {"phase": "failed", "reason": "ExecutorError", "message": f"the holder could not run: {said}"}
    message = "the body's holder is gone: it was killed, or the machine was restarted"
    return {"phase": "failed", "reason": "Lost", "message": message}


def _last_words(folder: BodyFolder) -> str:
    """The last line that a holder wrote before it ended."""
    try:
        with folder.log.open("rb") as file:
            lines = file.read(65536).decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:500] if lines else ""
