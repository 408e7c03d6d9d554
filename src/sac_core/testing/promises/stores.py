"""What the promises of stores are tested with: a store on a place of its own, records, and in whose name they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sac_core.contracts.store import Record, Scope, Store
from sac_core.models.principal import LOCAL
from sac_core.testing.clock import SimulatedClock

MINE = Scope(LOCAL, "default")
OTHER = Scope(LOCAL, "other")


def make(name: str, tenant: str = "default", kind: str = "Agent", **more: Any) -> Record:
    """A record that is not stored yet."""
    more.setdefault("spec", {"runtime": "shell"})
    more.setdefault("status", {"phase": "Pending"})
    return Record(kind, tenant, name, uid=f"{kind}-{tenant}-{name}".lower(), owner="user:local", **more)


async def insert(store: Store, scope: Scope, *records: Record) -> list[Record]:
    """Store them in one unit."""
    async with store.transaction(scope) as unit:
        return [await unit.insert(record) for record in records]


class StoreBase:
    """Override `open_store`."""

    pytestmark = pytest.mark.anyio

    def open_store(self, place: Path, now: Callable[[], datetime]) -> AbstractAsyncContextManager[Store]:
        """The store of a place, a folder of the test's own. Opened again with one place, it remembers everything."""
        raise NotImplementedError("override open_store(place, now)")

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def clock(self) -> SimulatedClock:
        """The store's clock; it stands until the test moves it, and is not at a whole second."""
        clock = SimulatedClock()
        clock.advance(0.654321)
        return clock

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        """Where the store is."""
        return tmp_path / "data"

    @pytest.fixture
    async def store(self, place: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
        """The store of this test."""
        async with self.open_store(place, clock.now) as store:
            yield store
