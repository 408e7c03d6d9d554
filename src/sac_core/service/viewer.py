"""One attached viewer of a feed: its place in the output, its role, and what it must be told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from sac_core.contracts.sac import Terminal
from sac_core.errors import ForbiddenError, SacError
from sac_core.models.process import Chunk, TtySize
from sac_core.service.feed import Feed
from sac_core.wire.terminal import (
    WINDOW,
    Exited,
    Gap,
    Input,
    Output,
    Resize,
    Role,
    RoleChanged,
    TerminalEvent,
)

_PAUSE = 0.05


class Viewer(Terminal):
    """Reads at its own pace. What it is told besides output is kept as the latest of each, never as a queue."""

    def __init__(
        self,
        feed: Feed,
        session: str,
        principal: str,
        *,
        offset: int,
        end: int,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        self.session = session
        self.principal = principal
        self.offset = offset
        self.end = end
        self.role: Role = "view"
        self._feed = feed
        self._number = feed.seek(offset)
        self._acked: int | None = None
        self._received = 0
        self._told = 0
        self._taken = taken
        self._news: dict[str, TerminalEvent] = {}
        self._wanted = asyncio.Event()

    @property
    def tty(self) -> TtySize:  # type: ignore[override]
        return self._feed.size

    async def __aiter__(self) -> AsyncIterator[TerminalEvent]:
        while True:
            self._wanted.clear()
            for event in self._told_now():
                yield event
            if not self._window_is_full():
                if self._number is None:
                    async for event in self._replay():
                        yield event
                    continue
                chunk = self._feed.chunk(self._number)
                if chunk is not None:
                    self._number += 1
                    for event in self._passed(chunk):
                        yield event
                    continue
                if self._number < self._feed.first:
                    self._number = None
                    continue
                if self._feed.exit is not None:
                    exit = self._feed.exit
                    yield Exited(exit.code, exit.signal, exit.reason)
                    return
            await self._wanted.wait()

    async def write(self, data: bytes) -> None:
        self._check_control()
        await self._feed.process.write(data)
        self._received += len(data)
        self.wake()

    async def resize(self, cols: int, rows: int) -> None:
        self._check_control()
        size = TtySize(cols=cols, rows=rows)
        if size != self._feed.size:
            self._feed.resized(size, self)
        await self._feed.process.resize(cols, rows)

    async def signal(self, name: str) -> None:
        self._check_control()
        await self._feed.process.signal(name)

    async def eof(self) -> None:
        self._check_control()
        await self._feed.process.eof()

    async def ack(self, offset: int) -> None:
        self._acked = max(self._acked or 0, min(offset, self.offset))
        self.wake()

    async def take(self) -> None:
        if self._feed.controller is not self:
            self._taken()
            await self._feed.on_take(self.principal)
        self._feed.give_control(self)

    def wake(self) -> None:
        """There is something new."""
        self._wanted.set()

    def tell_role(self) -> None:
        """Tell this viewer its role, and whether somebody else controls."""
        other = self._feed.elsewhere or self._feed.controller not in (None, self)
        self._news["role"] = RoleChanged(self.role, other)
        self.wake()

    def tell_size(self, size: TtySize) -> None:
        """Tell this viewer the terminal's new size."""
        self._news["resize"] = Resize(size.cols, size.rows)
        self.wake()

    def _told_now(self) -> list[TerminalEvent]:
        news, self._news = list(self._news.values()), {}
        if self._received > self._told:
            self._told = self._received
            news.append(Input(self._received))
        return news

    def _window_is_full(self) -> bool:
        return self._acked is not None and self.offset - self._acked >= WINDOW

    async def _replay(self) -> AsyncIterator[TerminalEvent]:
        """Read from the log until the tail has what comes next, the window is full, or there is something to tell."""
        output = self._feed.process.output(self.offset)
        try:
            async for chunk in output:
                for event in self._passed(chunk):
                    yield event
                self._number = self._feed.seek(self.offset)
                if self._number is not None or self._news or self._window_is_full():
                    return
            self._number = self._feed.next  # it has ended meanwhile, and all of it was read
        except SacError:
            await self._found_again()
        finally:
            await output.aclose()  # type: ignore[attr-defined]

    async def _found_again(self) -> None:
        """The link was lost: the feed finds the process again, or gives its exit."""
        if self._feed.exit is None:
            await asyncio.sleep(_PAUSE)
        else:
            self._number = self._feed.next

    def _passed(self, chunk: Chunk) -> list[TerminalEvent]:
        """The events of a chunk: a gap before it, and what of it is new."""
        events: list[TerminalEvent] = []
        if chunk.offset > self.offset:
            events.append(Gap(self.offset, chunk.offset))
        data = chunk.data[max(0, self.offset - chunk.offset) :]
        self.offset = max(self.offset, chunk.end)
        self._feed.progressed()
        if data:
            events.append(Output(chunk.end - len(data), data))
        return events

    def _check_control(self) -> None:
        if self.role != "control":
            raise ForbiddenError("somebody else types in this terminal", reason="Watching", hint="take it over first")
