"""A process in a body, through its holder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import anyio

from sac_core.contracts.process import Process
from sac_core.errors import InvalidError, LostError, NotFoundError
from sac_core.models.process import SIGNALS, Chunk, Exit
from sac_core.wire.holder import WINDOW

if TYPE_CHECKING:
    from sac_core.held.channel import Channel
    from sac_core.held.link import HolderLink

OUTPUT_WINDOW = 512 * 1024
"""The most output bytes on their way to one reader."""

CLOSE_GRACE = 3.0
"""Seconds between asking a process to end and killing it."""


class HeldProcess(Process):
    """A process whose terminal, log and exit a holder keeps; found again by its id over any later link."""

    __slots__ = ("_channels", "_exit", "_input", "_link", "_lock", "_lost", "_waiters", "id")

    def __init__(self, link: HolderLink, id: str) -> None:
        self.id = id
        self._link = link
        self._exit: Exit | None = None
        self._lost: LostError | None = None
        self._input: Channel | None = None
        self._lock: anyio.Lock | None = None
        self._channels: list[Channel] = []
        self._waiters: list[asyncio.Future[None]] = []

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        """Output from an offset; every call is a reader of its own, with its own window."""
        channel = await self._attach(since, OUTPUT_WINDOW)
        try:
            async for chunk in channel.chunks():
                yield chunk
        finally:
            self._let_go(channel)

    async def write(self, data: bytes) -> None:
        """Returns when the terminal or pipe has taken all of ``data``; waits as long as the process does not read."""
        if self._lock is None:
            self._lock = anyio.Lock(fast_acquire=True)
        async with self._lock:
            channel = await self._input_channel()
            for start in range(0, len(data), WINDOW // 4):
                piece = data[start : start + WINDOW // 4]
                await self._taken(channel, channel.sent + len(piece) - WINDOW)
                await self._link.send_input(channel, piece)
            end = channel.sent
        await self._taken(channel, end)

    async def _taken(self, channel: Channel, count: int) -> None:
        while channel.received < count:
            if self._exit is not None or channel.closed:
                raise LostError("the process takes no more input", hint="it has ended or closed its input")
            await channel.changed()

    async def _input_channel(self) -> Channel:
        self._check()
        if self._exit is not None:
            raise LostError("the process has ended")
        if self._input is None:
            self._input = await self._attach(None, 0)
        return self._input

    async def _attach(self, since: int | None, window: int) -> Channel:
        self._check()
        channel = await self._link.attach(self.id, since, window)
        self._channels.append(channel)
        return channel

    def _let_go(self, channel: Channel) -> None:
        if channel in self._channels:
            self._channels.remove(channel)
        self._link.detach(channel)

    async def eof(self) -> None:
        await self._call("eof", {})

    async def resize(self, cols: int, rows: int) -> None:
        await self._call("resize", {"cols": cols, "rows": rows})

    async def signal(self, name: str) -> None:
        if name not in SIGNALS:
            raise InvalidError(f"{name[:40]!r} is not a signal", field="name", hint=f"one of {', '.join(SIGNALS)}")
        await self._call("signal", {"name": name})

    async def _call(self, call: str, fields: dict[str, object]) -> None:
        self._check()
        await self._link.call(call, {"process": self.id, **fields})

    async def wait(self) -> Exit:
        """Its end. Waits without a deadline; `LostError` when the link is lost first."""
        while self._exit is None:
            self._check()
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        return self._exit

    async def detach(self) -> None:
        self.lose(LostError("the process was detached"))
        for channel in self._channels:
            self._link.detach(channel)
        self._channels.clear()
        self._link.let_go(self)

    async def aclose(self) -> None:
        """End it, reap its session and forget it; `LostError` when the link is gone, and then it may still run."""
        with anyio.CancelScope(shield=True):
            try:
                await self._link.call("close", {"process": self.id, "grace": CLOSE_GRACE}, extra=CLOSE_GRACE)
                await self._link.call("forget", {"process": self.id})
            except NotFoundError:
                pass
            self._link.let_go(self)

    def ended(self, exit: Exit) -> None:
        """The holder told its end."""
        if self._exit is None:
            self._exit = exit
        self._wake()

    def lose(self, error: LostError) -> None:
        """No more can be heard of it."""
        if self._lost is None:
            self._lost = error
        self._wake()
        for channel in self._channels:
            channel.lose(error)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        if self._input is not None:
            self._input.told({})

    def _check(self) -> None:
        if self._lost is not None:
            raise LostError(self._lost.message)
