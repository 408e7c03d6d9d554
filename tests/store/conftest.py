"""A store on a file of its own, and what to put in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postgres_cluster import Cluster
from sac_core.contracts.store import Record, Scope, Store
from sac_core.models.principal import LOCAL, SYSTEM
from sac_core.store import open_postgres_store, open_sqlite_store


class Clock:
    """A wall clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 3, 2, 1, 654321, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sac.db"


@pytest.fixture(params=["sqlite", "postgres"])
async def store(path: Path, clock: Clock, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """On a database of its own, of each kind."""
    if request.param == "sqlite":
        async with open_sqlite_store(path, server_id="server-1", clock=clock) as store:
            yield store
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    async with open_postgres_store(cluster.database(), clock=clock) as store:
        yield store


@pytest.fixture
def scope() -> Scope:
    return Scope(LOCAL, "default")


@pytest.fixture
def everywhere() -> Scope:
    return Scope(SYSTEM, "*")


@pytest.fixture
def make() -> Callable[..., Record]:
    def make(name: str, tenant: str = "default", kind: str = "Agent", **more: Any) -> Record:
        more.setdefault("spec", {"runtime": "shell"})
        more.setdefault("status", {"phase": "Pending"})
        return Record(kind, tenant, name, uid=f"{kind}-{tenant}-{name}".lower(), owner="user:local", **more)

    return make
