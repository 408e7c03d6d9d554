"""Much output and much input at once: nothing lost, nobody starved, gaps told."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from holder_process import linked, shell
from sac_core.held import HolderLink
from sac_core.models.process import Chunk, Command, Exit
from sac_core.testing.fixtures import eventually

MEGA = 1000 * 1000
BLOCK = bytes(range(256)) * 3907  # about 1 MB


async def test_100_megabytes_in_and_back_are_identical(link: HolderLink) -> None:
    process = await link.open_process("p", Command(argv=("cat",), overflow="block"))
    sent, back = hashlib.sha256(), hashlib.sha256()

    async def send() -> None:
        for _ in range(100):
            sent.update(BLOCK)
            await process.write(BLOCK)
        await process.eof()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            async for chunk in process.output():
                back.update(chunk.data)
        assert await process.wait() == Exit(code=0)
    assert back.digest() == sent.digest()


async def test_a_process_that_blocks_waits_for_its_slowest_reader(link: HolderLink) -> None:
    process = await link.open_process("p", shell("head -c 20000000 /dev/zero; echo done >&2"))
    slow = process.output()
    got = len((await anext(slow)).data)
    quick = process.output()
    with anyio.move_on_after(0.5):
        while True:
            await anext(quick)
    assert (await link.list())[0].end < 4 * MEGA
    got += sum([len(chunk.data) async for chunk in slow])
    assert got == 20000000 + len("done\n")


@pytest.mark.parametrize("reading", [False, True])
async def test_a_process_that_waits_for_a_reader_can_be_ended(link: HolderLink, reading: bool) -> None:
    process = await link.open_process("p", shell("exec cat /dev/zero"))
    output = process.output()
    await anext(output)
    if not reading:
        await output.aclose()  # type: ignore[attr-defined]

    async def waits() -> bool:
        before = (await link.list())[0].end
        await anyio.sleep(0.1)
        return (await link.list())[0].end == before

    await eventually(waits, 20)
    await process.aclose()
    assert not await link.list()


async def test_a_reader_that_is_left_behind_is_told_of_the_gap_and_goes_on(link: HolderLink) -> None:
    process = await link.open_process("p", shell("read go; seq 1 3000000; read go; echo last", block=False))
    output = process.output()
    await process.write(b"go\n")
    chunks = [await anext(output)]
    with anyio.fail_after(30):
        while (end := (await link.list())[0].end) < 22 * MEGA:  # noqa: ASYNC110
            await anyio.sleep(0.02)
    await process.write(b"go\n")
    chunks += [chunk async for chunk in output]
    jumps = [(left.end, right.offset) for left, right in pairwise(chunks) if left.end != right.offset]
    assert len(jumps) == 1
    assert jumps[0][0] < jumps[0][1] <= end
    assert text(chunks).endswith(b"\n3000000\nlast\n")


def text(chunks: list[Chunk]) -> bytes:
    return b"".join(chunk.data for chunk in chunks)


async def test_two_busy_links_share_a_holder(holder: Path) -> None:
    async def busy(name: str) -> None:
        async with linked(holder) as link:
            process = await link.open_process(name, Command(argv=("yes", name), overflow="drop"))
            count = 0
            async for chunk in process.output():
                assert set(chunk.data) <= set(name.encode() + b"\n")
                count += len(chunk.data)
                if count > 20 * MEGA:
                    break
            await process.aclose()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for name in ("a", "b"):
                tasks.start_soon(busy, name)
