"""Tar streams between the event loop and the thread in which `tarfile` works: a piece at a time, in step."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar, TypeVarTuple

import anyio
from anyio import from_thread, to_thread
from anyio.lowlevel import checkpoint_if_cancelled
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from sac_core.contracts.background import background
from sac_core.errors import InvalidError, LostError, SacError

T = TypeVar("T")
Given = TypeVarTuple("Given")

PIECE = 64 * 1024
_HEADER = 1024 * 1024
"""The most that the description of one entry may take: a hostile one may say that it has gigabytes."""
_TRAILING = 1024 * 1024

Moved = Callable[[int], None]
"""Told of bytes that have moved on."""


class Source:
    """What a thread reads an archive from: a file of which just that is read that is asked for, only forwards."""

    def __init__(self, pieces: MemoryObjectReceiveStream[bytes], moved: Moved) -> None:
        self._pieces = pieces
        self._moved = moved
        self._piece = b""
        self._used = 0
        self._at = 0
        self._left: int | None = _HEADER

    def expect_header(self) -> None:
        """What follows is the description of an entry."""
        self._left = _HEADER

    def expect_data(self) -> None:
        """What follows is what an entry holds."""
        self._left = None

    def tell(self) -> int:
        return self._at

    def seek(self, position: int, whence: int = 0) -> int:
        """Pass over bytes; ValueError for those that have passed."""
        if whence != 0 or position < self._at:
            raise ValueError("the archive goes backwards")
        while self._at < position and self.read(min(PIECE, position - self._at)):
            pass
        return self._at

    def read(self, size: int) -> bytes:
        """So many bytes; fewer only at the end."""
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise InvalidError("the archive has an entry with too long a description", reason="Refused")
        parts: list[bytes] = []
        while size and (part := self._some(size)):
            size -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> None:
        """Read what follows an archive's end: nothing but zeros, and not much of them."""
        self._left = None
        begin = self._at
        while data := self.read(PIECE):
            if data.strip(b"\0") or self._at - begin > _TRAILING:
                raise LostError("the archive is damaged: it goes on after its end")

    def _some(self, size: int) -> bytes:
        if self._used == len(self._piece):
            self._piece, self._used = self._next(), 0
        part = self._piece[self._used : self._used + size]
        self._used += len(part)
        self._at += len(part)
        return part

    def _next(self) -> bytes:
        try:
            piece = on_the_loop(self._pieces.receive)
        except anyio.EndOfStream:
            return b""
        self._moved(len(piece))
        return piece


class Sink:
    """What a thread writes an archive to."""

    def __init__(self, into: MemoryObjectSendStream[bytes], moved: Moved) -> None:
        self._into = into
        self._moved = moved

    def write(self, data: bytes) -> int:
        """Returns when there is room for more."""
        on_the_loop(self._into.send, bytes(data))
        self._moved(len(data))
        return len(data)


def on_the_loop(work: Callable[[*Given], Awaitable[T]], *given: *Given) -> T:
    """What ``work`` returns, for a thread; raises `asyncio.CancelledError` when the thread's task was cancelled.

    anyio cancels what a thread waits for at that moment. A thread that asks only afterwards would wait for ever.
    """

    async def unless_cancelled() -> T:
        if anyio.current_effective_deadline() == -math.inf:
            raise anyio.get_cancelled_exc_class()
        return await work(*given)

    return from_thread.run(unless_cancelled)


async def consume(tar: AsyncIterator[bytes], work: Callable[[Source], T], moved: Moved) -> T:
    """Run ``work`` in a thread on an archive; an error of the archive's stream counts more than what comes of it."""
    into, pieces = anyio.create_memory_object_stream[bytes](1)
    failed: list[SacError] = []

    async def pump() -> None:
        with into:
            try:
                async for piece in tar:
                    await into.send(piece)
            except SacError as error:
                failed.append(error)
            except anyio.BrokenResourceError:  # the work needs no more of it
                return

    async with background() as tasks:
        tasks.start_soon(pump)
        with pieces:
            try:
                return await _threaded(partial(work, Source(pieces, moved)))
            except SacError as error:
                await checkpoint_if_cancelled()  # what went wrong is that the archive ended, for nobody wants it
                raise (failed or [error])[0] from None


async def _threaded(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread and wait for its end, also when Ctrl-C cancels the task.

    asyncio cancels without regard for the shield of `to_thread.run_sync`: the thread would go on, and ask a loop that
    has ended for its next piece, for ever.
    """
    over, results, failed = anyio.Event(), list[T](), list[Exception]()

    async def run() -> None:
        try:
            results.append(await to_thread.run_sync(work))
        except Exception as error:  # raised below: the task group would wrap it
            failed.append(error)
        over.set()

    async with background() as tasks:
        tasks.start_soon(run)
        await over.wait()
    if failed:
        raise failed[0]
    return results[0]


@asynccontextmanager
async def produced(work: Callable[[Sink], None], moved: Moved) -> AsyncIterator[AsyncIterator[bytes]]:
    """The archive that ``work`` writes in a thread; reading it raises the error that ``work`` ended with."""
    into, pieces = anyio.create_memory_object_stream[bytes](1)
    failed: list[SacError] = []

    async def pump() -> None:
        with into:
            try:
                await to_thread.run_sync(work, Sink(into, moved))
            except SacError as error:
                failed.append(error)
            except anyio.BrokenResourceError:  # nobody reads it any more
                return

    async def whole() -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
        if failed:
            raise failed[0]

    async with background() as tasks:
        tasks.start_soon(pump)
        with pieces:
            yield whole()
