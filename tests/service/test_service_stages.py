"""Stages see every byte of the sessions that they want to see, and a bad one takes nothing with it but itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from live_server import until
from sac_core.contracts.context import PluginContext
from sac_core.contracts.sac import Sac
from sac_core.contracts.stage import Ended, Missed, Need, Printed, Resized, Seat, Stage, StageEvent
from sac_core.core import open_core
from sac_core.errors import UnavailableError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import StagePlugin
from sac_core.models.principal import LOCAL
from sac_core.models.process import TtySize
from sac_core.models.session import Session
from sac_core.service.stages import follower, pace
from sac_core.service.stages.pace import Pace
from sac_core.settings import Settings
from sac_core.wire.terminal import Output


@dataclass
class Kept:
    """What a stage keeps of one session, over all servers."""

    events: list[StageEvent] = field(default_factory=list)
    offset: int = 0
    ended: bool = False
    began: int = 0

    @property
    def data(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, Printed))

    def take(self, events: Sequence[StageEvent]) -> None:
        for event in events:
            if isinstance(event, Printed):
                assert event.offset == self.offset
                self.offset += len(event.data)
            elif isinstance(event, Missed):
                assert event.start == self.offset
                self.offset = event.end
            elif isinstance(event, Ended):
                self.ended = True
        self.events.extend(events)


class Notes(Stage):
    """Keeps all in memory. ``sin`` is run before a batch is taken."""

    def __init__(self, need: Need = "best_effort") -> None:
        self.wanted: Need = need
        self.kept: dict[str, Kept] = {}
        self.left = 0
        self.sin: Callable[[Sequence[StageEvent]], Any] | None = None
        self.begin_sin: Callable[[], Any] | None = None

    def need(self, session: Session) -> Need:
        return self.wanted

    async def begin(self, session: Session) -> Seat:
        if self.begin_sin is not None:
            await self.begin_sin()
        kept = self.kept.setdefault(session.metadata.name, Kept())
        kept.began += 1
        return NotesSeat(self, kept)

    @hookimpl
    def sac_session_stages(self) -> list[StagePlugin]:
        @asynccontextmanager
        async def opened(settings: Any, context: PluginContext) -> AsyncIterator[Stage]:
            yield self

        return [StagePlugin(name="notes", summary="Keeps notes.", open=opened)]


class NotesSeat(Seat):
    def __init__(self, notes: Notes, kept: Kept) -> None:
        self._notes = notes
        self._kept = kept
        self.offset = kept.offset
        self.ended = kept.ended

    async def take(self, events: Sequence[StageEvent]) -> None:
        if self._notes.sin is not None:
            await self._notes.sin(events)
        self._kept.take(events)

    async def aclose(self) -> None:
        self._notes.left += 1


@asynccontextmanager
async def staged(settings: Settings, notes: Notes) -> AsyncIterator[Sac]:
    """SAC with a stage, and an agent `a1` that runs."""
    async with open_core(settings, plugins=[("notes", notes)]) as core:
        sac = core.sac(LOCAL)
        if not (await sac.agents.list()).items:
            await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        yield sac


async def opened(sac: Sac, script: str, *, tty: tuple[int, int] = (80, 24)) -> str:
    return (await sac.sessions.create("a1", command=["sh", "-c", script], tty=tty)).metadata.name


async def seen_to_the_end(notes: Notes, name: str) -> Kept:
    async def seen() -> bool:
        return notes.kept[name].ended

    await until(seen)
    return notes.kept[name]


async def raises(_: object = None) -> None:
    raise ValueError("a sin")


async def hangs(_: object = None) -> None:
    await anyio.sleep(60)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that hangs is given up soon, and may soon try again."""
    monkeypatch.setattr(follower, "TAKE_DEADLINE", 0.3)
    monkeypatch.setattr(follower, "BEGIN_DEADLINE", 0.3)
    monkeypatch.setattr(follower, "_FIRST_PAUSE", 0.1)


async def test_every_byte_and_the_exit_are_seen_without_a_viewer(settings: Settings) -> None:
    notes = Notes()
    async with staged(settings, notes) as sac:
        name = await opened(sac, "seq 1 20000; exit 3")
        kept = await seen_to_the_end(notes, name)
    assert kept.data == b"".join(b"%d\r\n" % number for number in range(1, 20001))
    assert isinstance(kept.events[-1], Ended)
    assert kept.events[-1].exit.code == 3
    assert [event.at for event in kept.events] == sorted(event.at for event in kept.events)
    assert notes.left == 1


async def test_a_size_is_seen_when_a_viewer_sets_it_and_after_a_restart(settings: Settings) -> None:
    notes = Notes()
    async with staged(settings, notes) as sac:
        name = await opened(sac, "echo ready; cat", tty=(100, 30))

        async def printed() -> bool:
            return b"ready" in notes.kept[name].data

        await until(printed)
        async with sac.sessions.attach(name) as terminal:
            await terminal.resize(132, 43)

            async def resized() -> bool:
                return any(isinstance(event, Resized) for event in notes.kept[name].events)

            await until(resized)
    sizes = [event.size for event in notes.kept[name].events if isinstance(event, Resized)]
    assert sizes == [TtySize(cols=132, rows=43)], "the first size is the session's own and no event"
    async with staged(settings, notes) as sac:

        async def told_again() -> bool:
            return sum(isinstance(event, Resized) for event in notes.kept[name].events) == 2

        await until(told_again)
        await sac.sessions.delete(name)
        assert (await seen_to_the_end(notes, name)).ended


async def test_a_restart_loses_and_repeats_nothing(settings: Settings) -> None:
    notes = Notes()
    async with staged(settings, notes) as sac:
        name = await opened(sac, "seq 1 100; read go; seq 101 5000; read end; exit 0")

        async def half() -> bool:
            return b"\r\n100\r\n" in notes.kept[name].data

        await until(half)
        async with sac.sessions.attach(name) as terminal:
            await terminal.write(b"\n")
    async with staged(settings, notes) as sac:

        async def whole() -> bool:
            return b"\r\n5000\r\n" in notes.kept[name].data

        await until(whole)
        async with sac.sessions.attach(name) as terminal:
            await terminal.write(b"\n")
        kept = await seen_to_the_end(notes, name)
    numbers = b"".join(b"%d\r\n" % number for number in range(1, 5001))
    assert kept.data.replace(b"\r\n\r\n", b"\r\n") == numbers
    assert kept.began == 2


async def test_what_ended_while_no_server_ran_is_seen_to_its_end_once(settings: Settings) -> None:
    notes = Notes()
    async with staged(settings, notes) as sac:
        name = await opened(sac, "sleep 0.5; echo bye; exit 4")
    await anyio.sleep(0.7)  # the time in which it ends by itself; nobody is there to tell of it
    async with staged(settings, notes):
        kept = await seen_to_the_end(notes, name)
        assert kept.data == b"bye\r\n"
    async with staged(settings, notes):

        async def seated() -> bool:
            return notes.left == 3

        await until(seated)
    assert sum(isinstance(event, Ended) for event in kept.events) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sin", [raises, hangs])
async def test_a_stage_that_fails_is_named_the_session_goes_on_and_the_stage_comes_back(
    settings: Settings, sin: Callable[[object], Any]
) -> None:
    notes = Notes()
    notes.sin = sin
    async with staged(settings, notes) as sac:
        name = await opened(sac, "echo one; read go; echo two; exit 0")

        async def named() -> str | None:
            conditions = (await sac.sessions.get(name)).status.conditions
            return next((each.message for each in conditions if each.type == "Stage/notes"), None)

        why = await until(named)
        assert ("take raised ValueError" in why) or ("did not answer" in why)
        assert (await sac.sessions.get(name)).status.phase == "Running"
        notes.sin = None
        async with sac.sessions.attach(name) as terminal:
            await terminal.write(b"\n")
        kept = await seen_to_the_end(notes, name)
        assert kept.data.replace(b"\r\n\r\n", b"\r\n") == b"one\r\ntwo\r\n"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sin", [raises, hangs])
async def test_a_session_ends_with_the_stage_that_it_must_not_be_without(
    settings: Settings, sin: Callable[[object], Any]
) -> None:
    notes = Notes("strict")
    async with staged(settings, notes) as sac:
        name = await opened(sac, "echo one; read go; sleep 60")

        async def printed() -> bool:
            return notes.kept[name].data == b"one\r\n"

        await until(printed)
        async with sac.sessions.attach(name) as terminal:
            notes.sin = sin
            await terminal.write(b"\n")

            async def over() -> Session | None:
                session = await sac.sessions.get(name)
                return session if session.status.phase == "Ended" else None

            session = await until(over)
            assert session.status.reason == "StageLost"
            assert "notes" in session.status.message
        left = await sac.exec("a1", ["sh", "-c", "ps -eo args | grep -c '[r]ead go; sleep 60' || true"])
        assert left.stdout.strip() == "0"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sin", [raises, hangs])
async def test_no_seat_no_session_where_the_stage_is_needed(settings: Settings, sin: Callable[[], Any]) -> None:
    notes = Notes("strict")
    notes.begin_sin = sin
    async with staged(settings, notes) as sac:
        with pytest.raises(UnavailableError, match="notes") as refused:
            await opened(sac, "touch ran")
        assert refused.value.reason == "StageUnavailable"
        assert (await sac.sessions.list()).items == ()
        assert (await sac.exec("a1", ["ls"])).stdout == ""


async def test_a_stage_sees_nothing_that_it_does_not_want(settings: Settings) -> None:
    notes = Notes("none")
    async with staged(settings, notes) as sac:
        await opened(sac, "true")
        plugin = next(plugin for plugin in await sac.plugins() if plugin.family == "stage" and plugin.name == "notes")
        assert (plugin.state, plugin.summary) == ("loaded", "Keeps notes.")
    assert notes.kept == {}


async def test_a_command_that_is_not_there_gives_the_seat_back(settings: Settings) -> None:
    notes = Notes()
    async with staged(settings, notes) as sac:
        with pytest.raises(Exception, match="nothing-of-that-name"):
            await sac.sessions.create("a1", command=["/nothing-of-that-name"])
        kept = next(iter(notes.kept.values()))
        assert kept.ended
        assert notes.left == 1


def test_a_pace_lets_bursts_pass_and_slows_floods() -> None:
    clock = [0.0]
    budget = Pace(lambda: clock[0])
    assert budget.spend(pace.BURST) == 0.0
    assert budget.spend(pace.RATE // 2) == pytest.approx(0.5)
    clock[0] = 0.5
    assert budget.spend(pace.RATE) == pytest.approx(1.0)
    clock[0] = 1000.0
    assert budget.spend(pace.BURST) == 0.0, "what was not spent is there, up to one burst"
    assert budget.spend(1) > 0.0


async def test_a_flood_is_seen_in_part_and_what_is_missing_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BURST", 64 * 1024)
    monkeypatch.setattr(pace, "RATE", 64 * 1024)
    notes = Notes()
    async with staged(settings, notes) as sac:
        name = await opened(sac, "read go; yes | head -c 8000000; echo the end; read go")
        async with sac.sessions.attach(name) as terminal:
            await terminal.write(b"\n")
            shown = b""
            async for event in terminal:
                shown = shown[-20:] + event.data if isinstance(event, Output) else shown
                if b"the end" in shown:
                    break
            monkeypatch.setattr(pace, "RATE", 1024 * 1024 * 1024)
            await terminal.write(b"\n")
        kept = await seen_to_the_end(notes, name)
    missed = sum(event.end - event.start for event in kept.events if isinstance(event, Missed))
    assert len(kept.data) + missed == kept.offset > 12_000_000
    assert missed > 1_000_000
    assert b"the end" in kept.data
