"""Promise 7: ``block`` loses nothing and lets the process wait, ``drop`` never does; memory is bounded in both."""

from __future__ import annotations

import hashlib

import anyio

from sac_core.contracts.process import Process
from sac_core.models.process import TtySize
from sac_core.testing.body_commands import filled
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.streams import assert_identical, assert_without_gap, collect, joined

MIB = 1024 * 1024
KEPT_AT_MOST = 16 * MIB
"""A log of one process that is larger than this is not bounded."""


async def there_and_back(process: Process, data: bytes) -> str:
    """Write all of ``data``, end the input, and give the digest of what comes back."""
    digest = hashlib.sha256()

    async def send() -> None:
        for start in range(0, len(data), MIB):
            await process.write(data[start : start + MIB])
        await process.eof()

    async with anyio.create_task_group() as group:
        group.start_soon(send)
        async for chunk in process.output():
            digest.update(chunk.data)
    return digest.hexdigest()


class Flow(ContractBase):
    @promise(7)
    async def test_block_loses_nothing_to_a_slow_reader(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "slow", bench.commands.fill(4 * MIB), overflow="block")
        chunks = []
        with anyio.fail_after(self.timeout):
            async for chunk in process.output():
                chunks.append(chunk)
                await anyio.sleep(0.002)
            assert (await process.wait()).code == 0
        assert_without_gap(chunks)
        assert_identical(joined(chunks, "stdout"), filled(4 * MIB))

    @promise(7)
    async def test_block_lets_the_process_wait(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "waits", bench.commands.fill(KEPT_AT_MOST, "unblocked"), overflow="block")
        await bench.silent("unblocked")
        assert not bench.beats("unblocked"), "the process wrote everything though nobody read: what keeps it?"
        with anyio.fail_after(self.timeout):
            chunks = await collect(process)
        assert_identical(joined(chunks, "stdout"), filled(KEPT_AT_MOST))
        await bench.marked("unblocked")

    @promise(7)
    async def test_drop_never_lets_the_process_wait_and_keeps_little(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "drops", bench.commands.fill(2 * KEPT_AT_MOST), overflow="drop")
        with anyio.fail_after(self.timeout):
            assert (await process.wait()).code == 0
            chunks = await collect(process)
        assert chunks[-1].end == 2 * KEPT_AT_MOST
        assert sum(len(chunk.data) for chunk in chunks) <= KEPT_AT_MOST, "drop keeps everything"
        first = chunks[0].offset
        assert_identical(joined(chunks, "stdout"), filled(2 * KEPT_AT_MOST)[first:])

    @promise(7)
    async def test_a_reader_that_stops_does_not_stop_a_dropping_process(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "stops", bench.commands.fill(2 * KEPT_AT_MOST), overflow="drop")
        output = process.output()
        with anyio.fail_after(self.timeout):
            await anext(output)
            assert (await process.wait()).code == 0

    @promise(7)
    async def test_input_comes_back_identical(self, bench: Bench) -> None:
        key = await bench.body()
        data = bytes(range(256)) * (4 * MIB // 256)
        process = await bench.open(key, "back", bench.commands.cat(), overflow="block")
        with anyio.fail_after(self.timeout):
            assert await there_and_back(process, data) == hashlib.sha256(data).hexdigest()
            assert (await process.wait()).code == 0

    @promise(7)
    async def test_writing_to_a_process_that_does_not_read_waits(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "deaf", bench.commands.idle())
        taken = False
        with anyio.move_on_after(0.5):
            await process.write(bytes(KEPT_AT_MOST))
            taken = True
        assert not taken, "16 MiB of input were taken by a process that never reads"
        await process.aclose()

    @promise(7, level="full")
    async def test_100_mb_in_and_back_are_identical(self, bench: Bench) -> None:
        key = await bench.body()
        data = bytes(range(256)) * (100 * MIB // 256)
        process = await bench.open(key, "much", bench.commands.cat(), overflow="block")
        with anyio.fail_after(100):
            assert await there_and_back(process, data) == hashlib.sha256(data).hexdigest()

    @promise(7)
    async def test_a_terminal_drops_too(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "screen", bench.commands.fill(4 * MIB), tty=TtySize())
        with anyio.fail_after(self.timeout):
            assert (await process.wait()).code == 0
            chunks = await collect(process)
        assert chunks[-1].end == 4 * MIB + 4 * MIB // 64
