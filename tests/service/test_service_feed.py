"""The fan-out of one session: pace, tail, gaps, and faults that stay where they happen. Processes are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from sac_core.contracts.context import Entry, State
from sac_core.errors import LostError, NotFoundError, SacError
from sac_core.models.process import Chunk, Exit, TtySize
from sac_core.service.feed import AHEAD, TAIL, Feed
from sac_core.service.hub import Hub, Source, open_hub
from sac_core.service.past import PastProcess
from sac_core.wire.terminal import Exited, Gap, Output

CHUNK = 64 * 1024


class Scripted(PastProcess):
    """A process whose log holds ``size`` bytes from ``start``; counts how far it was read."""

    def __init__(self, size: int = 0, *, start: int = 0, fault: Exception | None = None) -> None:
        super().__init__("p1", Exit(code=0))
        self.size = size
        self.start = start
        self.fault = fault
        self.read = 0

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        at = max(since or 0, self.start)
        while at < self.size:
            data = bytes([at // CHUNK % 256]) * min(CHUNK, self.size - at)
            at += len(data)
            self.read = max(self.read, at)
            yield Chunk("tty", at - len(data), data)
            await asyncio.sleep(0)
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault


class NoState(State):
    """A single server asks nobody who types."""

    async def get(self, key: str) -> Entry | None:
        raise AssertionError(key)

    async def put(
        self, key: str, value: dict[str, Any], *, expected: int | None = None, ttl: float | None = None
    ) -> Entry:
        raise AssertionError(key)

    async def take(self, key: str) -> Entry | None:
        raise AssertionError(key)

    async def delete(self, key: str) -> None:
        raise AssertionError(key)


@asynccontextmanager
async def hub_of(*found: Scripted | SacError) -> AsyncIterator[tuple[Hub, list[Scripted | SacError]]]:
    async with open_hub(NoState(), "s1", frozenset) as hub:
        yield hub, list(found)


def finder(found: list[Scripted | SacError], end: int):  # type: ignore[no-untyped-def]
    async def find() -> Source:
        now = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(now, SacError):
            raise now
        return Source(now, end, TtySize())

    return find


async def all_of(terminal: object) -> tuple[int, list[Gap], Exited]:
    count, gaps = 0, list[Gap]()
    async for event in terminal:  # type: ignore[attr-defined]
        if isinstance(event, Output):
            count += len(event.data)
        elif isinstance(event, Gap):
            gaps.append(event)
        elif isinstance(event, Exited):
            return count, gaps, event
    raise AssertionError("no exit")


async def test_nobody_reading_stops_the_reading_of_the_log() -> None:
    process = Scripted(20 * TAIL)
    async with hub_of(process) as (hub, found):
        attached = hub.attach("u", "s", finder(found, process.size), principal="p", since=None, mode=None)
        async with attached as terminal:
            for _ in range(2000):
                await asyncio.sleep(0)
            assert process.read <= AHEAD + 2 * CHUNK
            assert (await all_of(terminal))[0] == process.size


async def test_a_slow_viewer_neither_slows_nor_is_kept_for() -> None:
    process = Scripted(20 * TAIL)
    async with hub_of(process) as (hub, found):
        find = finder(found, process.size)
        quick = hub.attach("u", "s", find, principal="p", since=None, mode=None)
        slow = hub.attach("u", "s", find, principal="p", since=None, mode="view")
        async with quick as first, slow as second:
            assert (await all_of(first))[0] == process.size
            kept = sum(len(chunk.data) for chunk in hub.feeds["u"]._tail.values())
            assert kept <= TAIL
            assert (await all_of(second))[:2] == (process.size, [])


async def test_what_all_have_taken_is_not_kept() -> None:
    process = Scripted(4 * CHUNK)
    async with hub_of(process) as (hub, found):
        attached = hub.attach("u", "s", finder(found, process.size), principal="p", since=None, mode=None)
        async with attached as terminal:
            await all_of(terminal)
            assert hub.feeds["u"]._tail == {}


async def test_a_log_that_lost_its_beginning_is_a_gap() -> None:
    process = Scripted(4 * CHUNK, start=CHUNK)
    async with hub_of(process) as (hub, found):
        attached = hub.attach("u", "s", finder(found, process.size), principal="p", since=None, mode=None)
        async with attached as terminal:
            assert (await all_of(terminal))[:2] == (3 * CHUNK, [Gap(0, CHUNK)])


async def test_a_lost_link_is_found_again_and_goes_on_by_offset() -> None:
    broken, again = Scripted(2 * CHUNK, fault=LostError("cut")), Scripted(4 * CHUNK)
    async with hub_of(broken, LostError("not yet"), again) as (hub, found):
        attached = hub.attach("u", "s", finder(found, 4 * CHUNK), principal="p", since=None, mode=None)
        async with attached as terminal:
            assert await all_of(terminal) == (4 * CHUNK, [], Exited(0))


@pytest.mark.parametrize(
    ("fault", "reason"), [(NotFoundError("gone"), "Deleted"), (RuntimeError("a plugin's fault"), "Lost")]
)
async def test_a_fault_ends_only_its_own_session(fault: Exception, reason: str) -> None:
    broken: list[Scripted | SacError] = [Scripted(CHUNK, fault=fault)]
    if isinstance(fault, SacError):
        broken.append(fault)
    fine = Scripted(CHUNK)
    async with open_hub(NoState(), "s1", frozenset) as hub:
        one = hub.attach("u1", "s1", finder(broken, CHUNK), principal="p", since=None, mode=None)
        other = hub.attach("u2", "s2", finder([fine], CHUNK), principal="p", since=None, mode=None)
        with anyio.fail_after(10):
            async with one as first, other as second:
                assert (await all_of(first))[2] == Exited(None, None, reason)
                assert (await all_of(second))[2] == Exited(0)


async def test_the_lease_is_kept_for_its_principal_for_a_while() -> None:
    async def find() -> Source:
        return Source(Waiting(), 0, TtySize())

    async with open_hub(NoState(), "s1", frozenset) as hub:
        async with hub.attach("u", "s", find, principal="alice", since=None, mode=None) as first:
            assert first.role == "control"
        async with hub.attach("u", "s", find, principal="bob", since=None, mode=None) as second:
            roles = [second.role]
            async with hub.attach("u", "s", find, principal="alice", since=None, mode=None) as third:
                assert third.role == "control"
            await second.take()
            assert [*roles, second.role] == ["view", "control"]


class Waiting(PastProcess):
    """A process that says nothing and does not end."""

    def __init__(self) -> None:
        super().__init__("p1", Exit(code=0))

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        await anyio.sleep_forever()
        yield Chunk("tty", 0, b"")


async def test_a_feed_starts_where_its_first_viewer_wants() -> None:
    async def find() -> Scripted:
        return Scripted()

    feed = Feed(Scripted(), find, since=7, size=TtySize())
    assert feed.seek(7) == 0
    assert feed.seek(3) is None
