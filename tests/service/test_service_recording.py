"""The recorder: policies, what it does when it cannot keep what it sees, for how long it is kept."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from live_server import until
from sac_core.contracts.chunks import StoredChunk
from sac_core.contracts.sac import Sac, Terminal
from sac_core.contracts.stage import Ended, Missed, Printed
from sac_core.core import Core, open_core
from sac_core.errors import ConflictError, InvalidError, LostError, SacError, UnavailableError
from sac_core.models.principal import LOCAL
from sac_core.models.process import Exit
from sac_core.models.recording import Recording
from sac_core.models.session import Session
from sac_core.service.recording import recorder
from sac_core.service.recording.archive import Archive, uid_of
from sac_core.service.recording.cast import Cast
from sac_core.service.recording.events import KeptEvent, kept, packed, unpacked
from sac_core.service.recording.keeping import Sweep
from sac_core.service.recording.recorder import Recorder
from sac_core.service.recording.writing import open_chunk_writer
from sac_core.settings import Settings
from sac_core.store.chunks import SqlChunks
from sac_core.wire.terminal import Output


def with_policy(settings: Settings, policy: Any) -> Settings:
    return settings.model_copy(update={"recording": policy})


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[Core, Sac]]:
    """SAC, and an agent `a1` that runs."""
    async with open_core(settings) as core:
        sac = core.sac(LOCAL)
        if not (await sac.agents.list()).items:
            await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        yield core, sac


async def opened(sac: Sac, script: str, **options: Any) -> Session:
    return await sac.sessions.create("a1", command=["sh", "-c", script], **options)


async def in_phase(sac: Sac, name: str, phase: str) -> Recording:
    async def reached() -> Recording | None:
        recording = await sac.recordings.get(name)
        return recording if recording.status.phase == phase else None

    return await until(reached)


async def text_of(sac: Sac, name: str) -> str:
    return b"".join([piece async for piece in sac.recordings.cast(name)]).decode()


def archive_of(core: Core) -> Archive:
    return Archive(core.services.store, core.services.sealing, core.services.now)


async def fails(self: object, chunks: Sequence[StoredChunk]) -> frozenset[str]:
    raise UnavailableError("the disk is full")


async def test_the_servers_policy_holds_and_may_only_be_raised(settings: Settings) -> None:
    async with running(with_policy(settings, "best_effort")) as (_, sac):
        session = await opened(sac, "echo hello")
        assert session.spec.recording == "best_effort"
        assert "hello" in await text_of(sac, (await in_phase(sac, session.metadata.name, "Complete")).metadata.name)
        assert (await opened(sac, "true", recording="strict")).spec.recording == "strict"
        with pytest.raises(InvalidError, match="best_effort"):
            await opened(sac, "true", recording="off")


async def test_a_full_disk_refuses_a_new_strict_recording_and_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "free_part", lambda folder: 0.049)
    async with running(settings) as (_, sac):
        with pytest.raises(UnavailableError, match="disk"):
            await opened(sac, "touch ran", recording="strict")
        assert (await sac.sessions.list()).items == ()
        assert (await sac.exec("a1", ["ls"])).stdout == ""
        session = await opened(sac, "true", recording="best_effort")
        await in_phase(sac, session.metadata.name, "Complete")


async def test_a_strict_session_ends_when_its_recording_cannot_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(settings) as (_, sac):
        session = await opened(sac, "echo one; read go; echo two; sleep 60", recording="strict")
        name = session.metadata.name

        async def begun() -> bool:
            return "one" in await text_of(sac, name)

        await until(begun)
        async with sac.sessions.attach(name) as terminal:
            monkeypatch.setattr(SqlChunks, "add", fails)
            await terminal.write(b"\n")

            async def over() -> Session | None:
                now = await sac.sessions.get(name)
                return now if now.status.phase == "Ended" else None

            assert (await until(over)).status.reason == "RecordingLost"


async def printed(terminal: Terminal, text: bytes) -> None:
    """Watch until it has printed this."""
    seen = b""
    async for event in terminal:
        if isinstance(event, Output):
            seen = (seen + event.data)[-65536:]
            if text in seen:
                return
    raise AssertionError(f"it ended without {text!r}")


def missed_by(text: str) -> list[int]:
    """How many bytes each mark of a cast says are missing: output that goes on while it catches up leaves another."""
    return [int(count) for count in re.findall(r'"m", "(\d+) bytes missed"', text)]


async def test_a_recording_by_best_effort_goes_on_when_it_can_and_marks_what_it_missed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(settings) as (_, sac):
        script = "echo one; read go; seq 1 2500000; echo done; read go"
        session = await opened(sac, script, recording="best_effort")
        name = session.metadata.name

        async def begun() -> bool:
            return "one" in await text_of(sac, name)

        await until(begun)
        with monkeypatch.context() as patch:
            patch.setattr(SqlChunks, "add", fails)
            async with sac.sessions.attach(name) as terminal:
                await terminal.write(b"\n")

                async def named() -> bool:
                    conditions = (await sac.sessions.get(name)).status.conditions
                    return any(each.type == "Stage/recorder" and each.status == "False" for each in conditions)

                await until(named)
                await printed(terminal, b"done")  # 20 MB: the log, what waits and what is being taken hold 12
        async with sac.sessions.attach(name) as terminal:
            await terminal.write(b"\n")
        recording = await in_phase(sac, name, "Complete")
        assert recording.status.missed
        assert recording.status.bytes is not None
        text = await text_of(sac, name)
        assert sum(missed_by(text)) == recording.status.missed
        assert "done" in text


async def test_what_was_changed_or_taken_away_is_not_played(settings: Settings) -> None:
    async with running(settings) as (_, sac):
        session = await opened(sac, "echo one; read go; echo two", recording="best_effort")
        name = session.metadata.name

        async def begun() -> bool:
            return "one" in await text_of(sac, name)

        await until(begun)
        async with sac.sessions.attach(name) as terminal:
            await terminal.write(b"\n")
        recording = await in_phase(sac, name, "Complete")
        uid = recording.metadata.uid
        with sqlite3.connect(settings.data_dir / "sac.db") as database:
            rows = list(database.execute("SELECT * FROM recording_chunks WHERE recording = ? ORDER BY number", (uid,)))
            assert len(rows) == recording.status.chunks
            assert len(rows) >= 2
            database.execute("DELETE FROM recording_chunks WHERE recording = ? AND last", (uid,))
        with pytest.raises(LostError, match="end is missing"):
            await text_of(sac, name)
        with sqlite3.connect(settings.data_dir / "sac.db") as database:
            database.execute("UPDATE recording_chunks SET data = ? WHERE recording = ?", (rows[-1][-1], uid))
        with pytest.raises(SacError, match="damaged"):
            await text_of(sac, name)
        database.close()


async def test_recordings_are_removed_when_they_are_old_and_ended_when_their_session_has_gone(
    settings: Settings,
) -> None:
    async with running(settings) as (core, sac):
        session = await opened(sac, "echo one", recording="best_effort")
        await in_phase(sac, session.metadata.name, "Complete")
        archive = archive_of(core)
        orphan = session.model_copy(
            update={"metadata": session.metadata.model_copy(update={"name": "orphan", "uid": "0" * 32})}
        )
        await archive.begin(orphan)
        sweep = Sweep(archive, days=2)
        await sweep.once()
        assert (await sac.recordings.get("orphan")).status.phase == "Recording"
        await sweep.once()
        assert (await sac.recordings.get("orphan")).status.phase == "Interrupted"
        assert len((await sac.recordings.list()).items) == 2
        later = replace(archive, now=lambda: core.services.now() + timedelta(days=2, hours=1))
        await Sweep(later, days=2).once()
        assert (await sac.recordings.list()).items == ()
        assert await core.services.store.chunks().newest(uid_of(session.metadata.uid)) is None


async def test_of_two_recorders_of_one_session_one_goes_on(settings: Settings) -> None:
    async with running(settings) as (core, sac):
        session = (await opened(sac, "true")).model_copy(deep=True)
        session = session.model_copy(update={"spec": session.spec.model_copy(update={"recording": "strict"})})
        archive, now = archive_of(core), core.services.now
        async with open_chunk_writer(core.services.store.chunks()) as writer:
            stage = Recorder(archive, writer, lambda: 1.0)
            one, two = await stage.begin(session), await stage.begin(session)
            await one.take([Printed(0, b"abc", now())])
            with pytest.raises(ConflictError, match="another server"):
                await two.take([Printed(0, b"ab", now())])
            three = await stage.begin(session)
            assert three.offset == 3
            await three.take([Missed(3, 5, now()), Ended(Exit(code=0), now())])
            assert (await stage.begin(session)).ended
        recording = await sac.recordings.get(session.metadata.name)
        assert (recording.status.phase, recording.status.bytes, recording.status.missed) == ("Complete", 5, 2)


async def test_a_chunk_that_was_kept_though_we_were_told_otherwise_is_kept_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = SqlChunks.add
    lies = [True]

    async def lying(self: SqlChunks, chunks: Sequence[StoredChunk]) -> frozenset[str]:
        taken = await add(self, chunks)
        if lies:
            lies.pop()
            raise UnavailableError("no answer")
        return taken

    monkeypatch.setattr(SqlChunks, "add", lying)
    async with running(settings) as (_, sac):
        session = await opened(sac, "echo one", recording="strict")
        await in_phase(sac, session.metadata.name, "Complete")
        assert (await text_of(sac, session.metadata.name)).count("one") == 1
    assert lies == []


def test_events_are_the_same_after_they_were_kept() -> None:
    events = [
        KeptEvent("output", 1, b"abc"),
        KeptEvent("missed", 2, bytes(16)),
        KeptEvent("resize", 3, b"\0\x50\0\x18"),
        KeptEvent("output", 4, b""),
    ]
    assert list(unpacked(packed(events))) == events
    assert events[2].size == (80, 24)
    with pytest.raises(LostError):
        list(unpacked(packed(events[:1])[:-1]))


def test_a_character_is_whole_over_the_border_of_events_and_what_is_none_is_replaced() -> None:
    cast, text = Cast(), "aß世👋".encode()
    lines = [line for at, byte in enumerate(text) for line in cast.lines(KeptEvent("output", at, bytes([byte])))]
    assert b"".join(lines).decode().count('"o"') == 4
    cut = [*Cast().lines(KeptEvent("output", 0, b"x\xff\xfey"))]
    assert '"x\ufffd\ufffdy"' in cut[0].decode()
    left = Cast()
    assert list(left.lines(KeptEvent("output", 0, "世".encode()[:2]))) == []
    lines = list(left.lines(kept(Missed(10, 30, datetime.now(UTC)), 5)))
    assert [line.decode() for line in lines] == ['[0.0, "o", "\ufffd"]\n', '[5e-06, "m", "20 bytes missed"]\n']
