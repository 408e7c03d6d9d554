"""One session's output on its way to its viewers: a short tail, its pace, its controller and its size."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from sac_core.contracts.process import Process
from sac_core.errors import NotFoundError, SacError
from sac_core.models.process import Chunk, Exit, TtySize

if TYPE_CHECKING:
    from sac_core.service.viewer import Viewer

log = logging.getLogger("sac.terminals")

TAIL = 512 * 1024
"""Bytes of output kept for viewers that are a little behind."""

AHEAD = 256 * 1024
"""Bytes that are read ahead of the quickest viewer."""

_FIND_AGAIN = 10.0
_FIRST_PAUSE = 0.05


class Feed:
    """The fan-out of one session. Chunks are numbered; a viewer that wants one that has left the tail is behind."""

    def __init__(self, process: Process, find: Callable[[], Awaitable[Process]], *, since: int, size: TtySize) -> None:
        self.process = process
        self.size = size
        self.viewers: list[Viewer] = []
        self.controller: Viewer | None = None
        self.exit: Exit | None = None
        self.elsewhere = False
        """Whether somebody types at another server."""
        self.on_resize: Callable[[TtySize], None] = lambda size: None
        self.on_take: Callable[[str], Awaitable[object]] = _nobody_else
        self.first = 0
        self.next = 0
        self._find = find
        self._tail: dict[int, Chunk] = {}
        self._kept = 0
        self._end = since
        self._room: asyncio.Event | None = None
        self._scope = anyio.CancelScope()

    async def run(self) -> None:
        """Read the process to its end, at the pace of the quickest viewer."""
        with self._scope:
            try:
                self.exit = await self._read()
            except Exception:  # one session's fault must not take the others with it
                log.exception("a fault while reading process %s", self.process.id)
                self.exit = Exit(reason="Lost")
            self._wake_all()

    def close(self) -> None:
        """Stop reading; the process goes on."""
        self._scope.cancel()

    def join(self, viewer: Viewer) -> None:
        """Add a viewer; with role ``control`` it gets the lease."""
        self.viewers.append(viewer)
        if viewer.role == "control":
            self.give_control(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Remove a viewer, and the lease if it has it."""
        self.viewers.remove(viewer)
        if self.controller is viewer:
            self.controller = None
            self._tell_roles()
        self.progressed()

    def give_control(self, viewer: Viewer) -> None:
        """Move the input lease; everybody is told."""
        self.controller, self.elsewhere = viewer, False
        for other in self.viewers:
            other.role = "control" if other is viewer else "view"
        self._tell_roles()

    def set_elsewhere(self, size: TtySize | None) -> None:
        """Somebody types at another server, in a terminal of that size; None: nobody does."""
        if size is not None and size != self.size:
            self.size = size
            for viewer in self.viewers:
                viewer.tell_size(size)
        if self.elsewhere == (size is not None):
            return
        self.elsewhere = size is not None
        if self.controller is not None and self.elsewhere:
            self.controller.role, self.controller = "view", None
        self._tell_roles()

    def resized(self, size: TtySize, by: Viewer) -> None:
        """Remember the size and tell the others."""
        self.size = size
        self.on_resize(size)
        for viewer in self.viewers:
            if viewer is not by:
                viewer.tell_size(size)

    def chunk(self, number: int) -> Chunk | None:
        """A chunk of the tail; None when it is not there yet or no more."""
        return self._tail.get(number)

    def seek(self, offset: int) -> int | None:
        """The number of the chunk that holds ``offset``; None when that is older than the tail."""
        if offset >= self._end:
            return self.next
        oldest = self._tail.get(self.first)
        if oldest is None or offset < oldest.offset:
            return None
        return next(number for number in range(self.first, self.next) if self._tail[number].end > offset)

    def progressed(self) -> None:
        """A viewer took something, or left: what all have taken is dropped, and there may be room again."""
        slowest = min((viewer.offset for viewer in self.viewers), default=self._end)
        while self.first < self.next and self._tail[self.first].end <= slowest:
            self._drop_oldest()
        if self._room is not None:
            self._room.set()

    async def _read(self) -> Exit:
        while True:
            try:
                async for chunk in self.process.output(self._end):
                    self._keep(chunk)
                    if self._ahead():
                        await self._wait_for_room()
                return await self.process.wait()
            except SacError:
                end = await self._find_again()
                if end is not None:
                    return end

    async def _find_again(self) -> Exit | None:
        """Find the process through a new link; an exit when it is gone or cannot be found in time."""
        pause = _FIRST_PAUSE
        with anyio.move_on_after(_FIND_AGAIN):
            while True:
                await anyio.sleep(pause)
                pause = min(pause * 2, 1.0)
                try:
                    self.process = await self._find()
                    return None
                except NotFoundError:
                    return Exit(reason="Deleted")
                except SacError as error:
                    log.info("process %s is not found again yet: %s", self.process.id, error)
        return Exit(reason="Lost")

    def _keep(self, chunk: Chunk) -> None:
        self._tail[self.next] = chunk
        self.next += 1
        self._end = chunk.end
        self._kept += len(chunk.data)
        while self._kept > TAIL and self.next - self.first > 1:
            self._drop_oldest()
        self._wake_all()

    def _drop_oldest(self) -> None:
        self._kept -= len(self._tail.pop(self.first).data)
        self.first += 1

    def _ahead(self) -> bool:
        return all(self._end - viewer.offset > AHEAD for viewer in self.viewers)

    async def _wait_for_room(self) -> None:
        self._room = asyncio.Event()
        while self._ahead():
            self._room.clear()
            await self._room.wait()
        self._room = None

    def _wake_all(self) -> None:
        for viewer in self.viewers:
            viewer.wake()

    def _tell_roles(self) -> None:
        for viewer in self.viewers:
            viewer.tell_role()


async def _nobody_else(principal: str) -> None:
    """There is no other server that could have the keyboard."""
