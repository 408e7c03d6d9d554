"""The thread that reads an archive: a copy ends with it, however it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import anyio
import pytest
from anyio import to_thread

from sac_core.cli.tarring import Source, consume


@pytest.fixture
def anyio_backend() -> str:
    """asyncio only: it is its way of cancelling that this is about."""
    return "asyncio"


def nothing(count: int) -> None:
    """Progress that nobody looks at."""


async def one_piece() -> AsyncIterator[bytes]:
    yield b"first"
    await anyio.sleep(30)  # not for ever: else a thread that nobody tells would keep the tests here


async def test_ctrl_c_waits_for_the_thread() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work(source: Source) -> None:
        try:
            source.read(5)
            begun.set()
            source.read(1)
        finally:
            may_end.wait(30)

    task = asyncio.ensure_future(consume(one_piece(), work, nothing))
    with anyio.fail_after(30):
        await to_thread.run_sync(begun.wait, 30)
        task.cancel()
        for _ in range(50):
            await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_what_a_thread_raises_comes_out_as_it_is() -> None:
    def work(source: Source) -> None:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        await consume(one_piece(), work, nothing)


async def test_a_thread_that_asks_after_ctrl_c_is_told_so() -> None:
    begun, may_ask, told = threading.Event(), threading.Event(), list[type[BaseException]]()

    def work(source: Source) -> None:
        source.read(5)
        begun.set()
        may_ask.wait(30)
        try:
            source.read(1)
        except asyncio.CancelledError as error:
            told.append(type(error))
            raise

    copying = asyncio.ensure_future(consume(one_piece(), work, nothing))
    await to_thread.run_sync(begun.wait, 30)
    copying.cancel()
    for _ in range(50):
        await asyncio.sleep(0)
    may_ask.set()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert told == [asyncio.CancelledError]
