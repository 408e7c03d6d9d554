"""Recordings through the one surface, embedded and over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from live_server import until
from sac_core.contracts.sac import Sac
from sac_core.errors import ConflictError, InvalidError, NotFoundError
from sac_core.models.recording import Recording
from sac_core.settings import Settings
from sac_core.wire.terminal import Exited

LINE = "Grüße, 世界 👋🏽 0123456789"
CANARY = "canary-9f1b2c"


@pytest.fixture
async def agent(sac: Sac) -> str:
    await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=20)
    return "a1"


async def recorded(sac: Sac, script: str, **options: Any) -> str:
    session = await sac.sessions.create(
        "a1", command=["sh", "-c", script], recording=options.pop("recording", "best_effort"), **options
    )
    return session.metadata.name


async def complete(sac: Sac, name: str) -> Recording:
    async def ended() -> Recording | None:
        recording = await sac.recordings.get(name)
        return recording if recording.status.phase == "Complete" else None

    return await until(ended)


async def cast_of(sac: Sac, name: str) -> tuple[dict[str, Any], list[Any]]:
    text = b"".join([piece async for piece in sac.recordings.cast(name)])
    head, *events = [json.loads(line) for line in text.decode().splitlines()]
    return head, events


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def printed(events: list[Any]) -> str:
    return "".join(data for _, code, data in events if code == "o")


async def test_the_cast_is_what_the_terminal_printed(sac: Sac, agent: str) -> None:
    name = await recorded(sac, f"i=0; while [ $i -lt 3000 ]; do echo '{LINE}'; i=$((i+1)); done; exit 3", tty=(100, 30))
    recording = await complete(sac, name)
    head, events = await cast_of(sac, name)
    assert (head["version"], head["width"], head["height"]) == (2, 100, 30)
    assert head["duration"] == recording.status.duration
    assert printed(events) == f"{LINE}\r\n" * 3000
    times = [time for time, _, _ in events]
    assert times == sorted(times)
    assert times[-1] <= head["duration"]
    assert recording.status.exit is not None
    assert recording.status.exit.code == 3
    assert (recording.status.bytes, recording.status.missed) == (len(f"{LINE}\r\n".encode()) * 3000, 0)
    assert recording.spec.agent == "a1"


async def test_a_recording_that_goes_on_can_be_read_and_outlives_session_and_agent(sac: Sac, agent: str) -> None:
    name = await recorded(sac, "echo one; read go; echo two")

    async def begun() -> bool:
        return "one" in printed((await cast_of(sac, name))[1])

    await until(begun)
    with pytest.raises(ConflictError, match="still going on"):
        await sac.recordings.delete(name)
    async with sac.sessions.attach(name) as terminal:
        await terminal.resize(132, 43)
        await terminal.write(b"\n")
        async for event in terminal:
            if isinstance(event, Exited):
                break
    await complete(sac, name)
    await sac.sessions.delete(name)
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=20)
    _, events = await cast_of(sac, name)
    assert [data for _, code, data in events if code == "r"] == ["132x43"]
    assert printed(events).replace("\r\n\r\n", "\r\n") == "one\r\ntwo\r\n"
    assert [each.metadata.name for each in (await sac.recordings.list(field_selector="spec.agent=a1")).items] == [name]
    await sac.recordings.delete(name)
    with pytest.raises(NotFoundError):
        await sac.recordings.get(name)
    with pytest.raises(NotFoundError):
        await cast_of(sac, name)


async def test_what_is_kept_tells_nothing_to_who_has_the_files(sac: Sac, agent: str, settings: Settings) -> None:
    name = await recorded(sac, f"for i in 1 2 3; do echo $i-{CANARY[:6]}''{CANARY[6:]}; done")
    await complete(sac, name)
    assert CANARY in printed((await cast_of(sac, name))[1])
    files = contents(settings.data_dir)
    assert "sac.db" in files
    assert [path for path, data in files.items() if CANARY.encode() in data] == []


async def test_a_session_is_not_recorded_unless_somebody_asks(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create("a1", command=["true"])
    assert session.spec.recording is None
    assert (await sac.recordings.list()).items == ()


async def test_two_sessions_of_one_name_have_two_recordings(sac: Sac, agent: str) -> None:
    for text in ("first", "second"):
        document = {
            "metadata": {"name": "s1"},
            "spec": {"agent": "a1", "command": ["echo", text], "recording": "best_effort"},
        }
        await sac.sessions.create_from(document)
        if text == "first":
            await complete(sac, "s1")
        await sac.sessions.delete("s1")

        async def gone() -> bool:
            return not (await sac.sessions.list()).items

        await until(gone)
    names = [each.metadata.name for each in (await sac.recordings.list()).items]
    assert len(names) == 2
    assert all(name.startswith("s1") for name in names)


async def test_an_unknown_policy_is_refused_by_name(sac: Sac, agent: str) -> None:
    with pytest.raises(InvalidError, match=r"spec\.recording"):
        await recorded(sac, "true", recording="always")
