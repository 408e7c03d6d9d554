"""kill -9 of the server at any moment: started again, it goes on with what runs, and loses and repeats nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from sac_core.client.surface import HttpSac
from sac_core.contracts.sac import Terminal
from sac_core.errors import NotFoundError, SacError
from sac_core.testing.fixtures import eventually
from sac_core.wire.terminal import Exited, Gap, Input, Output

if TYPE_CHECKING:
    from live_server import LiveServer

LINES = 200_000
COUNT = f"""
read x; i=0
while [ $i -lt {LINES // 1000} ]; do seq $((i * 1000 + 1)) $((i * 1000 + 1000)); sleep 0.01; i=$((i + 1)); done
"""
EXPECTED = "".join(f"{number}\r\n" for number in range(1, LINES + 1)).encode()
SEEDS = [1, 2, 3, 4]


async def read_from(terminal: Terminal, got: bytearray, start: int, enough: int | None) -> bool:
    """Append output to ``got``, which began at offset ``start``; True once the process has ended."""
    async for event in terminal:
        if isinstance(event, Output):
            assert event.offset == start + len(got), "output came twice, or some is missing"
            got += event.data
            if enough is not None and len(got) >= enough:
                return False
        elif isinstance(event, Exited):
            assert event.code == 0
            return True
        else:
            assert not isinstance(event, Gap), event
    raise AssertionError("the terminal ended without an exit")


async def test_output_goes_on_by_offset_while_the_server_is_killed_in_its_midst(live: LiveServer) -> None:
    got = bytearray()
    async with live.client() as sac:
        before = await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        holder = live.holders()[0].pid
        session = (await sac.sessions.create("a1", command=["sh", "-c", COUNT])).metadata.name
        async with sac.sessions.attach(session) as terminal:
            await terminal.write(b"\n")
            assert not await read_from(terminal, got, 0, 100_000)
            live.kill()
    assert len(got) < len(EXPECTED) // 2, "the kill was to come in the midst"
    await live.start()
    async with live.client() as sac:
        agent = await sac.agents.wait("a1", timeout=20)
        assert (agent.metadata.uid, agent.status.restarts) == (before.metadata.uid, 0)
        assert [process.pid for process in live.holders()] == [holder]
        with anyio.fail_after(60):
            async with sac.sessions.attach(session, since=len(got)) as terminal:
                assert terminal.offset == len(got)
                assert await read_from(terminal, got, 0, None)
        assert bytes(got).removeprefix(b"\r\n") == EXPECTED
        await everything_that_is_kept(sac, session, bytes(got))


async def everything_that_is_kept(sac: HttpSac, session: str, all_of_it: bytes) -> None:
    """A new viewer gets the log from its first byte to its end, without a hole."""
    kept = bytearray()
    async with sac.sessions.attach(session) as terminal:
        first = terminal.offset
        assert await read_from(terminal, kept, first, None)
    assert len(kept) >= 256 * 1024
    assert bytes(kept) == all_of_it[first:]


async def type_lines(terminal: Terminal, typed: bytearray) -> None:
    """Type numbered lines, at most until the server is gone."""
    with suppress(SacError):
        for number in range(20_000):
            line = b"%06d\n" % number
            typed += line
            await terminal.write(line)


async def count_input(terminal: Terminal, counted: list[int]) -> None:
    """Keep how much is said to have arrived."""
    with suppress(SacError):
        async for event in terminal:
            if isinstance(event, Input):
                counted[:] = [event.received]


async def test_input_that_was_counted_has_arrived_and_none_comes_twice(live: LiveServer) -> None:
    typed, counted = bytearray(), list[int]()
    async with live.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        command = ["sh", "-c", "stty -echo; echo ready; exec cat >typed"]
        session = (await sac.sessions.create("a1", command=command)).metadata.name
        async with sac.sessions.attach(session) as terminal:
            async with anyio.create_task_group() as group:
                group.start_soon(type_lines, terminal, typed)
                group.start_soon(count_input, terminal, counted)
                await eventually(lambda: counted and counted[-1] > 20_000, 30)
                live.kill()
    await live.start()
    async with live.client() as sac:
        await sac.agents.wait("a1", timeout=20)

        async def arrived() -> bytes:
            return (await sac.exec("a1", ["cat", "typed"])).stdout.encode()

        before = await eventually(arrived)
        assert typed.startswith(before), "input came twice, or some is missing in its midst"
        assert len(before) >= counted[-1] // 7 * 7
        async with sac.sessions.attach(session, mode="control") as terminal:
            await terminal.write(b"end\n")

            async def ended() -> bool:
                return (await arrived()).endswith(b"end\n")

            await eventually(ended)
        after = (await arrived()).removesuffix(b"end\n")
        assert typed.startswith(after)


@pytest.fixture
async def quiet(live: LiveServer) -> AsyncIterator[LiveServer]:
    """A server whose agents and holders match in number when all is over."""
    yield live
    async with live.client() as sac:
        agents = (await sac.agents.list()).items
        uids = sorted(agent.metadata.uid for agent in agents if agent.status.phase == "Running")
    assert sorted(map(uid_of, live.holders())) == uids
    assert sorted(folder.name for folder in bodies(live)) == uids


def uid_of(holder: object) -> str:
    command: list[str] = holder.info["cmdline"]  # type: ignore[attr-defined]
    return command[command.index("--uid") + 1]


def bodies(live: LiveServer) -> list[Path]:
    return list((live.folder / "executors" / "process" / "bodies").iterdir())


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_in_the_midst_of_creating(quiet: LiveServer, seed: int) -> None:
    delay = random.Random(seed).uniform(0, 0.15)
    with suppress(SacError):
        async with quiet.client() as sac, anyio.create_task_group() as group:
            group.start_soon(create_quietly, sac)
            await anyio.sleep(delay)
            quiet.kill()
    await quiet.start()
    async with quiet.client() as sac:
        with suppress(NotFoundError):
            await sac.agents.get("a1")
            await sac.agents.wait("a1", timeout=30)
            assert (await sac.exec("a1", ["echo", "well"])).stdout == "well\n"


async def create_quietly(sac: HttpSac) -> None:
    with suppress(SacError):
        await sac.agents.create("a1")


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_in_the_midst_of_deleting(quiet: LiveServer, seed: int) -> None:
    delay = random.Random(seed).uniform(0, 0.15)
    async with quiet.client() as sac:
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        await sac.sessions.create("a1", command=["sleep", "1000"])
        await sac.agents.delete("a1")
        await anyio.sleep(delay)
        quiet.kill()
    await quiet.start()
    async with quiet.client() as sac:
        with suppress(NotFoundError):
            await sac.agents.wait("a1", "absent", timeout=30)
        assert (await sac.agents.list()).items == ()
        assert (await sac.sessions.list()).items == ()
