"""What the contract of `Process` says beside its streams: identity, input's end, size, signals, its end."""

from __future__ import annotations

import anyio
import pytest

from sac_core.contracts.process import Process
from sac_core.errors import LostError, UnsupportedError
from sac_core.models.process import TtySize
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench, refused_naming
from sac_core.testing.promises.cancellation import cancelled
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.streams import collect, joined


async def first_line(process: Process) -> bytes:
    """Output up to the first newline, from the first byte."""
    seen = b""
    async for chunk in process.output():
        seen += chunk.data
        if b"\n" in seen:
            break
    return seen.split(b"\n")[0]


class Control(ContractBase):
    @promise(6)
    async def test_the_same_id_is_the_same_process(self, bench: Bench) -> None:
        key = await bench.body()
        first = await bench.open(key, "same", bench.commands.mark("same"))
        second = await bench.open(key, "same", bench.commands.mark("same"))
        other = await bench.open(key, "other", bench.commands.mark("other"))
        with anyio.fail_after(self.timeout):
            assert await first_line(first) != await first_line(other)
            await bench.marked("other")
            assert len(bench.beats("same")) == 1, "the same id was started twice"
            await second.eof()
            assert (await first.wait()).code == 0

    @promise(6)
    async def test_the_end_of_input_reaches_the_process(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "eof", bench.commands.cat())
        await process.write(b"last words")
        await process.eof()
        with anyio.fail_after(self.timeout):
            assert joined(await collect(process), "stdout") == b"last words"
            assert (await process.wait()).code == 0

    @promise(6)
    async def test_a_process_without_stdin_reads_nothing(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "closed", bench.commands.cat(), stdin=False)
        with anyio.fail_after(self.timeout):
            assert (await process.wait()).code == 0

    @promise(6)
    async def test_a_terminal_has_the_size_it_is_given(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "size", bench.commands.size(), tty=TtySize(cols=91, rows=33))
        await process.write(b"\r")
        await self._sees(process, b"33 91")
        await process.resize(120, 40)
        await process.write(b"\r")
        await self._sees(process, b"40 120")
        await process.aclose()

    @promise(6)
    async def test_resize_without_a_terminal_is_unsupported(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "flat", bench.commands.cat())
        with pytest.raises(UnsupportedError):
            await process.resize(80, 24)

    @promise(6)
    @pytest.mark.parametrize("name", ["TERM", "INT", "KILL"])
    async def test_a_signal_ends_it_and_is_named(self, bench: Bench, name: str) -> None:
        key = await bench.body()
        process = await bench.open(key, "signalled", bench.commands.idle())
        await process.signal(name)
        with anyio.fail_after(self.timeout):
            assert (await process.wait()).signal == name
        await process.signal(name)

    @promise(6)
    async def test_control_c_interrupts_what_a_terminal_runs(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "interrupted", bench.commands.idle(), tty=TtySize())
        await process.write(b"\x03")
        with anyio.fail_after(self.timeout):
            assert (await process.wait()).signal == "INT"

    @promise(6)
    async def test_writing_after_the_end_is_lost(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "over", bench.commands.emit(0))
        with anyio.fail_after(self.timeout):
            await process.wait()
            with pytest.raises(LostError):
                await process.write(b"too late")

    @promise(6)
    async def test_closing_ends_it_and_may_be_repeated(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "closing", bench.commands.beat("closing"))
        await bench.beating("closing", 1)
        with anyio.fail_after(self.timeout):
            await process.aclose()
            await process.aclose()
        await bench.silent("closing")
        again = await bench.open(key, "closing", bench.commands.emit(9))
        with anyio.fail_after(self.timeout):
            assert (await again.wait()).code == 9, "a closed process was not forgotten"

    @promise(3)
    async def test_closing_completes_though_cancelled(self, bench: Bench) -> None:
        key = await bench.body()
        for number, moment in enumerate((1, 2, 3, 5, 0.002)):
            tag = f"shielded-{number}"
            process = await bench.open(key, tag, bench.commands.beat(tag))
            await bench.beating(tag, 1)
            await cancelled(process.aclose(), moment)
        await bench.silent("shielded-")

    @promise(6)
    async def test_detaching_leaves_it_running(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "detached", bench.commands.beat("detached"))
        await bench.beating("detached", 1)
        await process.detach()
        await process.detach()
        await bench.beating("detached", 2)
        assert len({beat.body for beat in bench.beats("detached")}) == 1

    @promise(6)
    async def test_the_environment_reaches_the_process(self, bench: Bench) -> None:
        key = await bench.body()
        process = await bench.open(key, "env", bench.commands.printenv("SAC_TEST"), env={"SAC_TEST": "grün 💚 'x'"})
        with anyio.fail_after(self.timeout):
            assert joined(await collect(process), "stdout").decode() == "grün 💚 'x'\n"

    @promise(10)
    async def test_a_missing_program_is_a_clear_answer(self, bench: Bench) -> None:
        key = await bench.body()
        program = bench.commands.missing
        with anyio.fail_after(self.timeout), refused_naming(program[0]):
            process = await bench.open(key, "missing", program)
            assert (await process.wait()).reason == "NotFound"

    async def _sees(self, process: Process, wanted: bytes) -> None:
        seen = b""
        with anyio.fail_after(self.timeout):
            async for chunk in process.output():
                seen += chunk.data
                if wanted in seen:
                    return
        raise AssertionError(f"{wanted!r} is not in {seen!r}")
