"""Both databases keep the promises of stores."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path

import pytest

from postgres_cluster import Cluster
from sac_core.contracts.store import Store
from sac_core.store import open_postgres_store, open_sqlite_store
from sac_core.testing.store_suite import StoreContract


class TestSqlite(StoreContract):
    def open_store(self, place: Path, now: Callable[[], datetime]) -> AbstractAsyncContextManager[Store]:
        return open_sqlite_store(place / "sac.db", server_id="server-1", clock=now)


class TestPostgres(StoreContract):
    databases: dict[Path, str]

    @pytest.fixture(autouse=True)
    def _cluster(self, postgres: Cluster) -> None:
        self.cluster, self.databases = postgres, {}

    def open_store(self, place: Path, now: Callable[[], datetime]) -> AbstractAsyncContextManager[Store]:
        if place not in self.databases:
            self.databases[place] = self.cluster.database()
        return open_postgres_store(self.databases[place], clock=now)
