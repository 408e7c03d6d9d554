"""Viewers of one session at two servers: one of them types, and all see at the same size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from live_server import until
from sac_core.contracts.context import State
from sac_core.errors import ForbiddenError
from sac_core.models.process import Exit, TtySize
from sac_core.service import hub as hubs
from sac_core.service import keyboards
from sac_core.service.hub import Hub, Source, open_hub
from sac_core.service.past import PastProcess
from sac_core.store import open_sqlite_store
from sac_core.wire.terminal import Role


class Waiting(PastProcess):
    """It prints nothing and takes what is typed."""

    def __init__(self) -> None:
        super().__init__("p1", Exit(code=0))
        self.typed = b""

    async def output(self, since: int | None = 0) -> AsyncIterator[object]:  # type: ignore[override]
        await anyio.sleep_forever()
        yield  # type: ignore[misc]

    async def write(self, data: bytes) -> None:
        self.typed += data

    async def resize(self, cols: int, rows: int) -> None:
        pass


class Pair:
    """Two servers that serve one session."""

    def __init__(self, one: Hub, two: Hub, living: set[str]) -> None:
        self.one, self.two, self.living = one, two, living
        self.process = Waiting()

    def attach(self, hub: Hub, principal: str = "alice", mode: Role | None = None):  # type: ignore[no-untyped-def]
        async def find() -> Source:
            return Source(self.process, 0, TtySize())

        return hub.attach("u", "s", find, principal=principal, since=None, mode=mode)


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with open_sqlite_store(tmp_path / "sac.db", server_id="test") as store:
        yield store.state("sessions")


@pytest.fixture
async def pair(state: State, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setattr(keyboards, "LOOK", 0.02)
    living = {"s1", "s2"}

    @asynccontextmanager
    async def server(name: str) -> AsyncIterator[Hub]:
        async with open_hub(state, name, lambda: frozenset(living - {name})) as hub:
            yield hub

    async with server("s1") as one, server("s2") as two:
        yield Pair(one, two, living)


async def test_a_viewer_at_another_server_watches_until_it_takes_the_keyboard(pair: Pair) -> None:
    async with pair.attach(pair.one) as first, pair.attach(pair.two) as second:
        assert (first.role, second.role) == ("control", "view")
        with pytest.raises(ForbiddenError):
            await second.write(b"no")
        await second.take()
        assert second.role == "control"

        async def told() -> bool:
            return bool(first.role == "view")

        await until(told)
        with pytest.raises(ForbiddenError):
            await first.write(b"no")
        await second.write(b"yes")
    assert pair.process.typed == b"yes"


async def test_all_see_at_the_size_of_who_types(pair: Pair) -> None:
    async with pair.attach(pair.one) as first, pair.attach(pair.two) as second:
        await first.resize(132, 43)

        async def resized() -> bool:
            return bool(second.tty == TtySize(cols=132, rows=43))

        await until(resized)


async def test_it_is_kept_for_who_had_it_at_any_server(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "LEASE_GRACE", 0.5)
    async with pair.attach(pair.one, "alice"):
        pass

    async def kept() -> bool:
        async with pair.attach(pair.two, "bob") as other:
            return bool(other.role == "view")

    await until(kept)

    async def again() -> bool:  # once the first server has told that its viewer left
        async with pair.attach(pair.two, "alice") as viewer:
            return bool(viewer.role == "control")

    await until(again)

    async def free() -> bool:
        async with pair.attach(pair.one, "bob") as other:
            return bool(other.role == "control")

    await until(free)


async def test_a_dead_server_keeps_no_keyboard(pair: Pair) -> None:
    async with pair.attach(pair.one, "alice"), pair.attach(pair.two, "bob") as second:
        assert second.role == "view"
        pair.living.discard("s1")
        async with pair.attach(pair.two, "carol") as third:
            assert third.role == "control"


async def test_a_server_that_comes_later_learns_who_types(pair: Pair, state: State) -> None:
    pair.living.discard("s2")
    async with pair.attach(pair.one) as first:
        pair.living.add("s2")

        async def told() -> bool:
            return await state.get("keyboard/u") is not None

        await until(told)
        async with pair.attach(pair.two) as second:
            assert (first.role, second.role) == ("control", "view")
