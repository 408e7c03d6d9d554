"""Processes through a real holder."""

from __future__ import annotations

import hashlib
import os
import signal
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from holder_process import PROGRAM, linked, running_holder, shell, started
from sac_core.errors import DeadlineError, LostError, NotFoundError
from sac_core.held import HolderLink, open_link
from sac_core.models.process import Command, Exit, TtySize


async def test_streams_stay_apart_and_the_exit_follows(link: HolderLink) -> None:
    process = await link.open_process("p", shell("printf out; printf err >&2; printf '\\377\\000'; exit 3"))
    got = {"stdout": b"", "stderr": b"", "tty": b""}
    async for chunk in process.output():
        got[chunk.stream] += chunk.data
    assert (got["stdout"], got["stderr"]) == (b"out\xff\0", b"err")
    assert await process.wait() == Exit(code=3)


async def test_block_loses_nothing_to_a_slow_start(link: HolderLink) -> None:
    process = await link.open_process("p", shell("seq 1 1000000"))
    expected = "".join(f"{number}\n" for number in range(1, 1000001)).encode()
    assert b"".join([chunk.data async for chunk in process.output()]) == expected


async def test_drop_tells_a_gap_and_keeps_the_newest(link: HolderLink) -> None:
    process = await link.open_process("p", shell("seq 1 2000000", block=False))
    await process.wait()
    chunks = [chunk async for chunk in process.output()]
    assert chunks[0].offset > 0
    assert b"".join(chunk.data for chunk in chunks).endswith(b"\n2000000\n")
    assert all(left.end == right.offset for left, right in pairwise(chunks))


async def test_a_large_paste_arrives_whole(link: HolderLink) -> None:
    data = bytes(range(256)) * 40960
    line = f"stty raw -echo; echo go; head -c {len(data)} | sha256sum"
    process = await link.open_process("p", shell(line, tty=True))
    output = process.output()
    assert b"go" in (await anext(output)).data
    await process.write(data)
    rest = b"".join([chunk.data async for chunk in output])
    assert hashlib.sha256(data).hexdigest().encode() in rest


async def test_interrupt_acts_while_yes_floods(link: HolderLink) -> None:
    process = await link.open_process("p", Command(argv=("yes",), tty=TtySize()))
    await anext(process.output())
    with anyio.fail_after(0.5):
        await process.write(b"\x03")
        assert await process.wait() == Exit(signal="INT")


async def test_reattach_with_an_offset_over_a_new_link(holder: Path) -> None:
    async with linked(holder) as first:
        process = await first.open_process("p", shell("printf 0123456789; read line; printf $line", tty=True))
        assert (await anext(process.output())).data == b"0123456789"
    async with linked(holder) as second:
        again = await second.process("p")
        assert again is not None
        await again.write(b"end\n")
        assert b"".join([chunk.data async for chunk in again.output(since=5)]) == b"56789end\r\nend"
        assert await second.process("other") is None
        await again.aclose()
        assert await second.list() == ()


@pytest.mark.parametrize("command", [Command(argv=("no-such-program",)), Command(argv=("true",), cwd="/no/folder")])
async def test_what_is_missing_is_named(link: HolderLink, command: Command) -> None:
    with pytest.raises(NotFoundError, match=r"no-such-program|/no/folder"):
        await link.open_process("p", command)
    assert await link.list() == ()


async def test_exit_is_told_although_a_grandchild_keeps_the_terminal(link: HolderLink) -> None:
    process = await link.open_process("p", shell("trap '' HUP; sleep 600 & printf bye", tty=True))
    with anyio.fail_after(20):
        assert b"".join([chunk.data async for chunk in process.output()]) == b"bye"
    await process.aclose()


async def test_a_hostile_connection_hurts_only_itself(holder: Path, link: HolderLink) -> None:
    async with await anyio.connect_unix(holder / "holder.sock") as stream:
        await stream.send(b"\xff" * 64)
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await stream.receive()
    process = await link.open_process("p", shell("printf fine"))
    assert b"".join([chunk.data async for chunk in process.output()]) == b"fine"


async def test_a_lost_holder_ends_what_waits(holder: Path, link: HolderLink) -> None:
    process = await link.open_process("p", shell("sleep 600"))
    os.kill(link.hello.pid, signal.SIGKILL)
    with anyio.fail_after(20), pytest.raises(LostError):
        await process.wait()
    with pytest.raises(LostError):
        await link.list()


@pytest.mark.parametrize("line", ["exec cat", "exec <&- >&- 2>&-; sleep 0.02"])
async def test_a_program_that_closes_its_terminal_before_it_ends_is_not_hung_up(link: HolderLink, line: str) -> None:
    exits = set()
    for number in range(40):
        process = await link.open_process(f"p{number}", shell(line, tty=True))
        await process.eof()
        with anyio.fail_after(20):
            [chunk async for chunk in process.output()]
            exits.add(await process.wait())
    assert exits == {Exit(code=0)}


async def test_a_terminal_that_was_closed_and_opened_again_is_read_on(link: HolderLink) -> None:
    again = "exec 3>/dev/null <&- >&- 2>&-; sleep 0.3; printf hello >/dev/tty; read line </dev/tty; exit $line"
    process = await link.open_process("p", shell(again, tty=True))
    with anyio.fail_after(10):
        assert (await anext(process.output())).data == b"hello"
        await process.write(b"7\n")
        assert await process.wait() == Exit(code=7)


async def test_records_tell_the_size_of_terminals_and_the_process_sees_it_change(link: HolderLink) -> None:
    await link.open_process("pipes", shell("sleep 600"))
    line = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.01; done"
    process = await link.open_process("tty", shell(line, tty=True))
    output = process.output()
    assert (await anext(output)).data == b"24 80\r\n"
    await process.resize(120, 40)
    assert b"".join([chunk.data async for chunk in output]) == b"40 120\r\n"
    assert {record.process: record.size for record in await link.list()} == {
        "pipes": None,
        "tty": TtySize(cols=120, rows=40),
    }


BROKEN = """
def broken(self, *arguments):
    raise ZeroDivisionError("on purpose")

{target} = broken

if __name__ == "__main__":
"""


@pytest.mark.parametrize("target", ["Process.take_input", "Log.add", "Process.exited", "Process.check_closed"])
async def test_an_error_in_the_holder_costs_what_it_happened_to_only(tmp_path: Path, target: str) -> None:
    program = tmp_path / "broken.py"
    program.write_text(PROGRAM.read_text().replace('\nif __name__ == "__main__":\n', BROKEN.format(target=target)))
    with running_holder(tmp_path, program):
        await started(tmp_path)
        async with open_link(await anyio.connect_unix(tmp_path / "holder.sock"), deadline=1) as hurt:
            with suppress(LostError, DeadlineError):
                process = await hurt.open_process("p", shell("echo; read line", tty=True))
                await process.write(b"\n")
                await process.aclose()
        async with linked(tmp_path) as link:
            assert len(await link.list()) <= 1
    assert "ZeroDivisionError: on purpose" in (tmp_path / "errors.log").read_text()
