"""Sessions, terminals and execs through the one surface, embedded and over HTTP."""

from __future__ import annotations

import hashlib
from contextlib import aclosing

import anyio
import pytest

from sac_core.contracts.sac import Sac, Terminal
from sac_core.errors import ForbiddenError, InvalidError, LaunchError, NotFoundError, NotReadyError
from sac_core.testing.fixtures import eventually
from sac_core.wire.terminal import Exited, Gap, Output, Resize, RoleChanged


@pytest.fixture
async def agent(sac: Sac) -> str:
    await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=20)
    return "a1"


async def ended(sac: Sac, name: str) -> bool:
    return (await sac.sessions.get(name)).status.phase == "Ended"


async def gone(sac: Sac, name: str) -> bool:
    return all(known.metadata.name != name for known in (await sac.sessions.list()).items)


async def dead(sac: Sac, agent: str) -> bool:
    """Whether the process whose id is in the file `pid` has ended."""
    return (await sac.exec(agent, ["sh", "-c", "kill -0 $(cat pid)"])).code != 0


async def read_until(terminal: Terminal, end: bytes, *, seconds: float = 20) -> bytes:
    """Output until it contains ``end``."""
    seen = bytearray()
    with anyio.fail_after(seconds):
        async with aclosing(aiter(terminal)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Output):
                    seen += event.data
                    if end in seen:
                        return bytes(seen)
    raise AssertionError(f"the terminal ended before {end!r}: {bytes(seen[-200:])!r}")


async def read_all(
    terminal: Terminal, *, seconds: float = 60, acknowledge: bool = False
) -> tuple[bytes, Exited, list[Gap]]:
    """All output to the end, the exit, and the gaps; checks that offsets go on without a hole or repetition."""
    seen, gaps = bytearray(), list[Gap]()
    at: int | None = None
    with anyio.fail_after(seconds):
        async for event in terminal:
            if isinstance(event, Gap):
                gaps.append(event)
                assert at in (None, event.start)
                at = event.end
            elif isinstance(event, Output):
                assert at in (None, event.offset)
                at = event.offset + len(event.data)
                seen += event.data
            elif isinstance(event, Exited):
                return bytes(seen), event, gaps
            if acknowledge:
                await terminal.ack(terminal.offset)
    raise AssertionError("the terminal ended without an exit")


async def test_a_terminal_runs_and_tells_its_exit(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["bash", "--norc"], tty=(100, 30))
    assert session.status.phase == "Running"
    async with sac.sessions.attach(session.metadata.name) as terminal:
        assert terminal.role == "control"
        await terminal.write(b"stty size; exit 5\n")
        output, exit, gaps = await read_all(terminal)
    assert b"30 100" in output
    assert (exit.code, gaps) == (5, [])
    await eventually(lambda: ended(sac, session.metadata.name), 10)


async def test_coming_back_finds_everything_once(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["sh", "-c", "printf one; read x; printf two; read x"])
    name = session.metadata.name
    async with sac.sessions.attach(name) as first:
        assert await read_until(first, b"one") == b"one"
        offset = first.offset
        await first.write(b"\n")
    async with sac.sessions.attach(name, since=offset) as second:
        assert (await read_until(second, b"two")).endswith(b"two")
    async with sac.sessions.attach(name) as third:
        assert (await read_until(third, b"two")).replace(b"\r\n", b"") == b"onetwo"


async def test_an_ended_session_shows_its_output_and_exit(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["sh", "-c", "echo bye; exit 4"])
    for _ in range(2):
        async with sac.sessions.attach(session.metadata.name) as terminal:
            output, exit, _ = await read_all(terminal)
        assert (output, exit.code) == (b"bye\r\n", 4)


async def test_one_types_the_other_watches_and_takes_over(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["cat"])
    name = session.metadata.name
    async with sac.sessions.attach(name) as first, sac.sessions.attach(name) as second:
        assert (first.role, second.role) == ("control", "view")
        await first.write(b"typed\n")
        assert b"typed" in await read_until(second, b"typed")
        roles = anyio.Event()

        async def watch_first() -> None:
            async for event in first:
                if isinstance(event, RoleChanged) and event.role == "view":
                    roles.set()

        async with anyio.create_task_group() as group:
            group.start_soon(watch_first)
            await second.take()
            with anyio.fail_after(10):
                await roles.wait()
                async for event in second:
                    if isinstance(event, RoleChanged) and event.role == "control":
                        break
            await second.write(b"mine\n")
            assert b"mine" in await read_until(second, b"mine")
            assert first.role == "view"
            with pytest.raises(ForbiddenError):
                await first.write(b"not mine\n")
            group.cancel_scope.cancel()


async def test_a_viewer_is_told_the_size_that_the_controller_sets(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["cat"], tty=(80, 24))
    name = session.metadata.name
    async with sac.sessions.attach(name) as first, sac.sessions.attach(name) as second:
        await first.resize(132, 43)
        with anyio.fail_after(10):
            async for event in second:
                if isinstance(event, Resize):
                    assert (event.cols, event.rows) == (132, 43)
                    break
    async with sac.sessions.attach(name, mode="view") as third:
        assert third.role == "view"


async def test_signals_and_eof_reach_the_process(sac: Sac, agent: str) -> None:
    command = "trap 'echo got; exit 9' TERM; echo up; sleep 1000 & wait"
    session = await sac.sessions.create(agent, command=["sh", "-c", command])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        await read_until(terminal, b"up")
        await terminal.signal("TERM")
        _, exit, _ = await read_all(terminal)
    assert exit.code == 9
    session = await sac.sessions.create(agent, command=["cat"])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        await terminal.eof()
        assert (await read_all(terminal))[1].code == 0


async def test_ten_megabytes_pasted_arrive_identical(sac: Sac, agent: str) -> None:
    size = 10 * 1024 * 1024
    paste = hashlib.sha256(b"x").digest() * (size // 32)
    command = f"stty raw -echo; echo ready; head -c {size} | sha256sum"
    session = await sac.sessions.create(agent, command=["sh", "-c", command])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        await read_until(terminal, b"ready")
        async with anyio.create_task_group() as group:
            group.start_soon(_paste, terminal, paste)
            output, _, _ = await read_all(terminal)
    assert hashlib.sha256(paste).hexdigest().encode() in output


async def _paste(terminal: Terminal, data: bytes) -> None:
    for start in range(0, len(data), 60_000):
        await terminal.write(data[start : start + 60_000])


async def test_ctrl_c_ends_a_flood_within_half_a_second(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["bash", "--norc", "-c", "yes; echo after; exit 0"])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        flood = 0
        with anyio.fail_after(30):
            async for event in terminal:
                flood += len(event.data) if isinstance(event, Output) else 0
                if flood > 20_000_000:
                    break
        started = anyio.current_time()
        await terminal.signal("INT")
        _, exit, _ = await read_all(terminal)
        assert anyio.current_time() - started < 5  # the bar of half a second is measured in benchmarks/
        assert exit.signal == "INT" or exit.code in (0, 130)


async def test_invalid_utf8_passes_unchanged(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["printf", r"a\377\376b\303"])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        assert (await read_all(terminal))[0] == b"a\xff\xfeb\xc3"


async def test_who_stops_reading_slows_nobody(sac: Sac, agent: str) -> None:
    command = "read x; seq 1 400000; echo end"
    session = await sac.sessions.create(agent, command=["sh", "-c", command])
    name = session.metadata.name
    async with sac.sessions.attach(name) as first, sac.sessions.attach(name, mode="view") as stuck:
        await stuck.ack(0)
        await first.write(b"\n")
        output, exit, _ = await read_all(first)
        assert output.endswith(b"400000\r\nend\r\n")
        late, exit_late, _ = await read_all(stuck, acknowledge=True)
    assert late.endswith(b"400000\r\nend\r\n")
    assert exit_late == exit


async def test_a_gap_is_told_for_what_the_log_no_longer_holds(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["sh", "-c", "seq 1 2000000"])
    name = session.metadata.name
    await eventually(lambda: ended(sac, name), 60)
    async with sac.sessions.attach(name) as terminal:
        output, _, gaps = await read_all(terminal)
    assert gaps[0].start == 0
    assert output.endswith(b"2000000\r\n")
    assert len(gaps) == 1


async def test_deleting_a_session_ends_its_process_and_not_the_agent(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["sh", "-c", "echo $$ > pid; sleep 1000"])
    name = session.metadata.name
    async with sac.sessions.attach(name) as terminal:
        await sac.sessions.delete(name)
        _, exit, _ = await read_all(terminal)
        assert exit.signal is not None or exit.reason
    await eventually(lambda: gone(sac, name), 10)
    assert (await sac.agents.get(agent)).status.phase == "Running"
    assert await dead(sac, agent)


async def test_sessions_end_with_their_agent(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["sleep", "1000"])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        await sac.agents.delete(agent)
        _, exit, _ = await read_all(terminal, seconds=30)
        assert exit.code is None
    await sac.agents.wait(agent, "absent", timeout=20)
    assert (await sac.sessions.list()).items == ()


async def test_a_session_needs_a_running_agent(sac: Sac) -> None:
    await sac.agents.create("a1", {"state": "Stopped"})
    with pytest.raises(NotReadyError, match="sac start a1"):
        await sac.sessions.create("a1")
    with pytest.raises(NotFoundError):
        await sac.sessions.create("nobody")


async def test_a_command_that_is_not_there_leaves_no_session(sac: Sac, agent: str) -> None:
    with pytest.raises(LaunchError, match="no-such-program"):
        await sac.sessions.create(agent, command=["no-such-program"])
    assert (await sac.sessions.list()).items == ()


async def test_exec_streams_keep_apart_and_lose_nothing(sac: Sac, agent: str) -> None:
    size = 8 * 1024 * 1024
    command = f"head -c {size} /dev/zero; echo err >&2; cat; exit 6"
    seen: dict[str, int] = {"stdout": 0, "stderr": 0}
    async with sac.open_exec(agent, ["sh", "-c", command]) as running:
        async with anyio.create_task_group() as group:
            group.start_soon(_send, running, b"y" * 100_000)
            async for chunk in running.output():
                seen[chunk.stream] += len(chunk.data)
        exit = await running.wait()
    assert seen == {"stdout": size + 100_000, "stderr": 4}
    assert exit.code == 6


async def _send(running: object, data: bytes) -> None:
    await running.write(data)  # type: ignore[attr-defined]
    await running.eof()  # type: ignore[attr-defined]


async def test_leaving_an_exec_ends_its_command(sac: Sac, agent: str) -> None:
    async with sac.open_exec(agent, ["sh", "-c", "echo $$ > pid; echo up; sleep 1000"]) as running:
        async for chunk in running.output():
            assert chunk.data == b"up\n"
            break
    await eventually(lambda: dead(sac, agent), 10)


async def test_a_long_output_is_cut_and_says_so(sac: Sac, agent: str) -> None:
    result = await sac.exec(agent, ["sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' x"])
    assert (len(result.stdout), result.truncated, result.code) == (1024 * 1024, True, 0)


async def test_what_a_caller_raises_comes_out_as_it_is(sac: Sac, agent: str) -> None:
    session = await sac.sessions.create(agent, command=["cat"])
    with pytest.raises(KeyError, match="mine"):
        async with sac.sessions.attach(session.metadata.name):
            raise KeyError("mine")
    with pytest.raises(KeyError, match="mine"):
        async with sac.open_exec(agent, ["cat"]):
            raise KeyError("mine")


async def test_a_folder_with_a_nul_is_refused_and_hides_nothing(sac: Sac) -> None:
    await sac.agents.create("a1")
    await sac.agents.wait("a1", timeout=20)
    with pytest.raises(InvalidError) as caught:
        await sac.sessions.create("a1", cwd="/t\0mp")
    assert caught.value.field == "spec.cwd"
    assert (await sac.sessions.list(field_selector="spec.agent=a1")).items == ()
