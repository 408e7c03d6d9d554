"""Promise 6: output apart and byte-exact, or merged by a terminal; the exit always, after the last byte."""

from __future__ import annotations

import anyio
import pytest

from sac_core.contracts.process import Process
from sac_core.models.process import Chunk, Exit, TtySize
from sac_core.testing.body_commands import filled
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise

EVERY_BYTE = bytes(range(256))


async def collect(process: Process, since: int = 0) -> list[Chunk]:
    """All output to its end."""
    return [chunk async for chunk in process.output(since)]


def joined(chunks: list[Chunk], stream: str) -> bytes:
    return b"".join(chunk.data for chunk in chunks if chunk.stream == stream)


def assert_identical(found: bytes, wanted: bytes) -> None:
    """Says where the first difference is; pytest would print megabytes."""
    if found == wanted:
        return
    same = next((at for at, (one, other) in enumerate(zip(found, wanted, strict=False)) if one != other), len(found))
    same = min(same, len(wanted))
    where = f"{found[same : same + 20]!r} instead of {wanted[same : same + 20]!r}"
    raise AssertionError(f"{len(found)} bytes instead of {len(wanted)}; from byte {same} on {where}")


def assert_without_gap(chunks: list[Chunk]) -> None:
    """Offsets count every byte once, from the first."""
    offset = 0
    for chunk in chunks:
        assert chunk.offset == offset, f"output at {offset} is missing: the next chunk begins at {chunk.offset}"
        offset = chunk.end


class Streams(ContractBase):
    @promise(6)
    async def test_stdout_and_stderr_stay_apart_and_exact(self, bench: Bench) -> None:
        key = await bench.body()
        errors = EVERY_BYTE[::-1]
        argv = bench.commands.emit(0, ("stdout", EVERY_BYTE), ("stderr", errors), ("stdout", b"\r\nend\n\n"))
        process = await bench.open(key, "apart", argv)
        with anyio.fail_after(self.timeout):
            chunks = await collect(process)
        assert {chunk.stream for chunk in chunks} == {"stdout", "stderr"}
        assert joined(chunks, "stdout") == EVERY_BYTE + b"\r\nend\n\n"
        assert joined(chunks, "stderr") == errors
        assert_without_gap(chunks)

    @promise(6)
    async def test_a_terminal_merges_both(self, bench: Bench) -> None:
        key = await bench.body()
        argv = bench.commands.emit(0, ("stdout", b"one "), ("stderr", b"two "), ("stdout", b"three\n"))
        process = await bench.open(key, "merged", argv, tty=TtySize())
        with anyio.fail_after(self.timeout):
            chunks = await collect(process)
        assert {chunk.stream for chunk in chunks} == {"tty"}
        assert joined(chunks, "tty") == b"one two three\r\n"
        assert_without_gap(chunks)

    @promise(6)
    @pytest.mark.parametrize("overflow", ["drop", "block"])
    async def test_nothing_is_lost_at_the_end(self, bench: Bench, overflow: str) -> None:
        key = await bench.body()
        wanted = filled(100_000)
        process = await bench.open(key, "tail", bench.commands.fill(len(wanted)), overflow=overflow)
        with anyio.fail_after(self.timeout):
            if overflow == "drop":
                assert (await process.wait()).code == 0
            chunks = await collect(process)
            assert (await process.wait()).code == 0
        assert_identical(joined(chunks, "stdout"), wanted)
        assert_without_gap(chunks)

    @promise(6)
    async def test_the_exit_comes_after_the_last_byte(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "order", bench.commands.fill(200_000), overflow="block")
        order: list[str] = []

        async def read() -> None:
            async for chunk in process.output():
                await anyio.sleep(0.001)
                order.append("byte")
                if chunk.end == 200_000:
                    order.append("last byte")

        with anyio.fail_after(self.timeout):
            await read()
            assert await process.wait() == Exit(code=0)
        assert order[-1] == "last byte"

    @promise(6)
    @pytest.mark.parametrize("code", [0, 1, 77, 255])
    async def test_exit_codes_arrive_again_and_again(self, bench: Bench, code: int) -> None:
        key = await bench.body()
        process = await bench.open(key, "code", bench.commands.emit(code, ("stdout", b"x")))
        with anyio.fail_after(self.timeout):
            await collect(process)
            assert await process.wait() == await process.wait() == Exit(code=code)

    @promise(6)
    async def test_a_process_without_output_ends_too(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "mute", bench.commands.emit(5))
        with anyio.fail_after(self.timeout):
            assert await collect(process) == []
            assert (await process.wait()).code == 5

    @promise(6)
    async def test_output_since_an_offset_begins_there(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "since", bench.commands.fill(5_000))
        with anyio.fail_after(self.timeout):
            await process.wait()
            chunks = await collect(process, since=1_234)
        assert chunks[0].offset == 1_234
        assert_identical(joined(chunks, "stdout"), filled(5_000)[1_234:])
