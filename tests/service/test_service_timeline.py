"""A timeline tells why: every phase has what caused it, back to somebody's wish or to what happened by itself."""

from __future__ import annotations

import re

import anyio
import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import LaunchError, NotFoundError, UnavailableError
from sac_core.models import lifecycle
from sac_core.models.cause import Cause, Timeline
from sac_core.models.principal import ALL, LOCAL, Principal
from sac_core.service import explaining, opener
from sac_core.service.notes import Note
from sac_core.store.causes import SqlCauses
from sac_core.testing.faults import FaultPlan, FaultPoint
from sac_core.testing.fixtures import eventually
from sac_core.testing.simulated_target import StartPlan
from simulated_world import World


def crash(world: World, reason: str = "OutOfMemory") -> None:
    next(body for body in world.target.bodies() if body.alive).crash(reason)


async def runs(sac: Sac, name: str, *, restarts: int) -> bool:
    status = (await sac.agents.get(name)).status
    return status.phase == "Running" and status.restarts >= restarts


def chain(timeline: Timeline, cause: Cause) -> list[Cause]:
    """A cause and what led to it, the first of all last."""
    by_seq = {each.seq: each for each in timeline.items}
    found = [cause]
    while found[-1].because is not None:
        found.append(by_seq[found[-1].because])
    return found


STORY = """
 1 request  user:local          asked to create it, from this program
 2 version  user:local          version 1 is wanted <- 1
 3 phase    system:sac          Pending <- 2
 4 executor executor:simulated  ensure for version 1 answered 'running' <- 3
 5 backend  executor:simulated  its body is running <- 4
 6 phase    system:sac          Running <- 5
 7 backend  executor:simulated  its body failed (OutOfMemory): the simulated body was killed from outside
 8 phase    system:sac          Starting (OutOfMemory): the simulated body was killed from outside; \
it is started again <- 7
 9 executor executor:simulated  ensure for version 1 answered 'running' <- 8
10 backend  executor:simulated  its body is running <- 9
11 phase    system:sac          Running <- 10
12 request  user:local          asked to patch it, from this program
13 version  user:local          version 2 is wanted: changed env.COLOUR, env.SHAPE <- 12
14 executor executor:simulated  ensure for version 2 answered 'running' <- 13
15 request  user:local          asked to stop it, from this program
16 version  user:local          version 3 is wanted: changed state <- 15
17 executor executor:simulated  stop for version 3 answered 'stopped' <- 16
18 backend  executor:simulated  its body is stopped <- 17
19 phase    system:sac          Stopped <- 18
20 request  user:local          asked to delete it, from this program
21 phase    system:sac          Terminating <- 20
22 executor executor:simulated  delete for version 3 answered 'absent' <- 21
23 backend  executor:simulated  there is no body any more <- 22
24 phase    system:sac          deleted: its body and its row are gone <- 23
"""


def told(story: Timeline) -> str:
    """A timeline as text, without what is different each time."""
    return "\n" + "".join(f"{_line(each)}\n" for each in story.items)


def _line(cause: Cause) -> str:
    because = f" <- {cause.because}" if cause.because else ""
    count = f" x{cause.count}" if cause.count > 1 else ""
    text = re.sub(r" in \d.*$", "", cause.text)
    return f"{cause.seq:2} {cause.kind:8} {cause.actor:19} {text}{because}{count}"


async def test_the_story_of_an_agent_explains_each_of_its_phases(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        crash(world)
        await eventually(lambda: runs(sac, "a1", restarts=1), 10)
        await sac.agents.patch("a1", {"spec": {"env": {"COLOUR": "canary-4711", "SHAPE": "round"}}})
        await sac.agents.wait("a1", timeout=10)
        await sac.agents.stop("a1")
        await sac.agents.wait("a1", "Stopped", timeout=10)
        await sac.agents.delete("a1")
        await sac.agents.wait("a1", "absent", timeout=10)
        story = await sac.agents.timeline("a1")
    assert told(story) == STORY
    assert "canary" not in story.model_dump_json()
    for phase in (each for each in story.items if each.kind == "phase"):
        assert chain(story, phase)[-1].kind in ("request", "backend")


async def test_a_timeline_is_found_by_uid_when_its_name_has_another_agent(world: World) -> None:
    async with world.sac() as sac:
        first = await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        await sac.agents.delete("a1")
        await sac.agents.wait("a1", "absent", timeout=10)
        second = await sac.agents.create("a1")
        assert (await sac.agents.timeline("a1")).uid == second.metadata.uid
        assert (await sac.agents.timeline(first.metadata.uid)).items[-1].text.startswith("deleted")
        with pytest.raises(NotFoundError):
            await sac.agents.timeline("never")


async def test_a_crash_loop_is_counted_and_not_repeated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_FIRST_DELAY", 0.01)
    world.target.default_plan = StartPlan(exits=3, exits_after=0.0)
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await eventually(lambda: counted(sac, "a1", "ended with code 3", 9), 10)
        story = await sac.agents.timeline("a1")
    assert len(story.items) < 20, told(story)
    loop = next(each for each in story.items if each.text.startswith("Failed (CrashLoop)"))
    assert "ended with code 3" in chain(story, loop)[-1].text
    assert loop.because is not None


async def counted(sac: Sac, name: str, text: str, times: int) -> bool:
    story = await sac.agents.timeline(name)
    return any(text in each.text and each.kind == "backend" and each.count >= times for each in story.items)


async def test_looking_again_and_again_leaves_nothing(world: World) -> None:
    world.target.default_plan = StartPlan(stop_seconds=0.5)
    async with world.serve(resync=0.05) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        before = await sac.agents.timeline("a1")
        await anyio.sleep(0.5)
        await core.services.chronicle.write()
        assert await sac.agents.timeline("a1") == before
        await sac.agents.stop("a1")
        await sac.agents.wait("a1", "Stopped", timeout=10)
        stopped = [each for each in (await sac.agents.timeline("a1")).items if each.text.startswith("stop for")]
        assert [each.count for each in stopped] == [1] * len(stopped)
        assert len(stopped) <= 2


@pytest.mark.usefixtures("short_deadlines")
async def test_calls_that_fail_are_told_and_counted(world: World) -> None:
    points = {FaultPoint("ensure", call, "before"): "raise" for call in (1, 2, 3)}
    async with world.sac(FaultPlan(points)) as sac:  # type: ignore[arg-type]
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        story = await sac.agents.timeline("a1")
    failed = next(each for each in story.items if "ensure failed after" in each.text)
    assert (failed.count, failed.details["outcome"]) == (3, "Unavailable")
    assert any(each.text == "it answers again" for each in story.items)


async def test_a_start_of_a_server_is_told_to_what_it_found(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.create("a2", {"state": "Stopped"})
        await sac.agents.wait("a1", timeout=10)
        await sac.agents.wait("a2", "Stopped", timeout=10)
    for start in (1, 2):
        async with world.sac() as sac:
            await eventually(lambda: starts(sac, "a1", start), 10)  # noqa: B023
    async with world.sac() as sac:
        found = next(each for each in (await sac.agents.timeline("a1")).items if each.kind == "server")
        assert found.text == "a server started and looks after it: it was Running"
        assert not await starts(sac, "a2", 1)


async def starts(sac: Sac, name: str, times: int) -> bool:
    story = await sac.agents.timeline(name)
    return any(each.kind == "server" and each.count >= times for each in story.items)


async def test_terminals_are_told_from_their_opening_to_their_exit(world: World) -> None:
    other = Principal("user", "other", permissions=frozenset({ALL}))
    async with world.serve() as core:
        sac, second = core.sac(LOCAL), core.sac(other, origin="over HTTP from 10.0.0.7")
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        session = (await sac.sessions.create("a1", command=["cat", "canary-4711"])).metadata.name
        async with sac.sessions.attach(session) as terminal, second.sessions.attach(session, mode="view") as watcher:
            await watcher.take()
            await watcher.eof()
            assert terminal.session == session
            await eventually(lambda: has_text(sac, "a1", f"terminal {session}: it ended"), 10)
        await core.services.chronicle.write()
        story = await sac.agents.timeline("a1")
    texts = {each.text: each for each in story.items if each.kind == "session"}
    opened = texts[f"opened terminal {session} (cat), from this program"]
    assert texts[f"types in terminal {session}, from this program"].because == opened.seq
    assert texts[f"watches terminal {session}, over HTTP from 10.0.0.7"].actor == "user:other"
    assert texts[f"took over terminal {session}"].actor == "user:other"
    assert texts[f"terminal {session}: it ended with code 0"].because is None
    assert "canary" not in story.model_dump_json()


async def has_text(sac: Sac, name: str, text: str) -> bool:
    return any(text in each.text for each in (await sac.agents.timeline(name)).items)


async def test_a_terminal_that_ends_with_its_agent_names_what_ended_it(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        session = (await sac.sessions.create("a1", command=["cat"])).metadata.name
        await sac.agents.stop("a1")
        await sac.agents.wait("a1", "Stopped", timeout=10)
        story = await sac.agents.timeline("a1")
    ended = next(each for each in story.items if each.text.startswith(f"terminal {session}: it ended"))
    assert chain(story, ended)[-1].text == "asked to stop it, from this program"


async def missing(body: object, process_id: str, command: object) -> None:
    raise LaunchError("there is no program 'nosuch'", reason="CommandNotFound")


async def test_a_refused_terminal_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opener, "open_in", missing)
    async with world.sac() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=10)
        with pytest.raises(LaunchError):
            await sac.sessions.create("a1", command=["no-such-program"])
        story = await sac.agents.timeline("a1")
    opened, failed = story.items[-2:]
    assert (opened.kind, failed.kind, failed.because) == ("session", "session", opened.seq)
    assert "could not be opened" in failed.text


async def test_only_the_newest_causes_of_an_agent_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "PER_AGENT", 10)
    async with world.sac() as sac:
        await sac.agents.create("a1")
        for number in range(12):
            await sac.agents.patch("a1", {"spec": {"env": {"N": str(number)}}})
        items = (await sac.agents.timeline("a1")).items
        assert len(items) <= 10
        assert "version 13 is wanted" in "".join(each.text for each in items)


async def test_what_cannot_be_written_now_is_written_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.serve() as core:
        sac, chronicle = core.sac(LOCAL), core.services.chronicle
        agent = await sac.agents.create("a1", {"state": "Stopped"})
        await sac.agents.wait("a1", "Stopped", timeout=10)
        about = explaining.about(agent)
        with monkeypatch.context() as patch:
            patch.setattr(SqlCauses, "hold", refused)
            chronicle.note(about, Note("server/x", "system:sac", "first"))
            with pytest.raises(UnavailableError):
                await chronicle.write()
        chronicle.note(about, Note("server/y", "system:sac", "second"))
        await chronicle.write()
        assert [each.text for each in (await sac.agents.timeline("a1")).items[-2:]] == ["first", "second"]


async def refused(self: SqlCauses) -> None:
    raise UnavailableError("the disk is full")
