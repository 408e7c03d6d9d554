"""What PostgreSQL must withstand beyond what every store does: several servers, crashes, lost hints, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from postgres_cluster import Cluster
from sac_core.contracts.store import Record, Scope, Store
from sac_core.errors import ConfigurationError, ConflictError, UnavailableError
from sac_core.store import open_postgres_store, postgres_news
from sac_core.store.postgres_engine import postgres_url
from sac_core.store.tables import metadata

Make = Callable[..., Record]


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two servers' stores on one database."""
    async with open_postgres_store(url) as one, open_postgres_store(url) as other:
        yield one, other


async def insert(store: Store, scope: Scope, *records: Record) -> None:
    async with store.transaction(scope) as unit:
        for record in records:
            await unit.insert(record)


async def test_the_migrated_database_is_that_of_the_tables(postgres: Cluster) -> None:
    url = postgres.database()
    async with open_postgres_store(url):
        pass
    engine = create_async_engine(postgres_url(url))

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_four_servers_that_start_at_once_migrate_once(postgres: Cluster) -> None:
    url, identities = postgres.database(), []

    async def serve() -> None:
        async with open_postgres_store(url) as store:
            identities.append(store.installation)

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(serve)
    assert len(identities) == 4
    assert len(set(identities)) == 1


async def test_a_watch_misses_nothing_while_transactions_overlap(postgres: Cluster, scope: Scope, make: Make) -> None:
    """One that is open when another begins ends first: a reader never passes over a version that comes late."""
    async with two(postgres.database()) as (one, other):
        order: list[str] = []

        async def second() -> None:
            async with other.transaction(scope) as unit:
                order.append("second begins")
                await unit.insert(make("b"))

        async with anyio.create_task_group() as tasks:
            async with one.transaction(scope) as unit:
                await unit.insert(make("a"))
                tasks.start_soon(second)
                with anyio.move_on_after(0.3):
                    await anyio.sleep_forever()  # the other has every chance to commit first
                assert await other.changes(scope, 0) == []
                await unit.insert(make("c"))
                order.append("first ends")
        assert order == ["first ends", "second begins"]
        for store in (one, other):
            assert [(change.version, change.object.name) for change in await store.changes(scope, 0)] == [
                (1, "a"),
                (2, "c"),
                (3, "b"),
            ]


async def test_one_server_hears_of_another_at_once(
    postgres: Cluster, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_news, "POLL", 60)
    async with two(postgres.database()) as (one, other):
        for number in range(1, 6):  # its listener may still be connecting when the first is written
            await insert(one, scope, make(f"a{number}"))
            if await other.wait_changed(number - 1, timeout=10) == number:
                return
    pytest.fail("no hint arrived")


async def test_a_lost_hint_costs_a_second(
    postgres: Cluster, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silence(*_: object) -> None:
        """No server is told."""

    monkeypatch.setattr("sac_core.store.postgres.notify", silence)
    async with two(postgres.database()) as (one, other):
        await insert(one, scope, make("a"))
        assert await other.wait_changed(0, timeout=10) == 1


async def test_a_crash_costs_nothing_that_was_acknowledged(own_postgres: Cluster, scope: Scope, make: Make) -> None:
    """The database crashes under a store: it says so, and goes on by itself when the database is back."""
    async with open_postgres_store(own_postgres.database()) as store:
        await insert(store, scope, make("a"))
        await anyio.to_thread.run_sync(own_postgres.stop)
        with pytest.raises(UnavailableError) as caught:
            await store.version()
        assert caught.value.reason == "StorageLost"
        assert caught.value.retry_after
        with pytest.raises(UnavailableError):
            await insert(store, scope, make("b"))
        await anyio.to_thread.run_sync(own_postgres.start)
        await insert(store, scope, make("c"))
        assert [record.name for record in (await store.read(scope).list("Agent")).items] == ["a", "c"]


async def test_a_crash_within_a_unit_leaves_nothing_of_it(own_postgres: Cluster, scope: Scope, make: Make) -> None:
    async with open_postgres_store(own_postgres.database()) as store:

        async def interrupted() -> None:
            async with store.transaction(scope) as unit:
                await unit.insert(make("a"))
                await anyio.to_thread.run_sync(own_postgres.restart)
                await unit.insert(make("b"))

        with pytest.raises(UnavailableError):
            await interrupted()
        assert (await store.read(scope).list("Agent")).items == ()
        await insert(store, scope, make("c"))
        assert [change.object.name for change in await store.changes(scope, 0)] == ["c"]


async def test_a_crash_before_a_unit_is_given_up_hides_nothing(own_postgres: Cluster, scope: Scope, make: Make) -> None:
    """There is nobody to roll it back: what the unit was given up for comes out all the same."""
    async with open_postgres_store(own_postgres.database()) as store:

        async def given_up() -> None:
            async with store.transaction(scope) as unit:
                await unit.insert(make("a"))
                await anyio.to_thread.run_sync(own_postgres.restart)
                raise ConflictError("another was there first")

        with pytest.raises(ConflictError, match="another was there first"):
            await given_up()
        await insert(store, scope, make("b"))
        assert [record.name for record in (await store.read(scope).list("Agent")).items] == ["b"]


async def test_a_crash_at_the_commit_is_said_to_be_unknown(own_postgres: Cluster, scope: Scope, make: Make) -> None:
    async with open_postgres_store(own_postgres.database()) as store:

        async def interrupted() -> None:
            async with store.transaction(scope) as unit:
                await unit.insert(make("a"))
                await unit.list("Agent")
                store._notify = crash  # type: ignore[attr-defined]

        async def crash(*_: object) -> None:
            await anyio.to_thread.run_sync(own_postgres.restart)

        with pytest.raises(UnavailableError) as caught:
            await interrupted()
        assert caught.value.reason == "StorageUnknown"


async def test_a_connection_that_is_killed_is_replaced(postgres: Cluster, scope: Scope, make: Make) -> None:
    async with open_postgres_store(postgres.database()) as store:
        await insert(store, scope, make("a"))
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sac' AND state = 'idle'"
        )
        assert await store.version() == 1
        await insert(store, scope, make("b"))


async def test_a_server_that_stops_in_a_unit_does_not_hold_up_the_others_for_ever(
    postgres: Cluster, scope: Scope, make: Make
) -> None:
    """Another waits five seconds for its turn and is told to try again."""
    async with two(postgres.database()) as (one, other):
        async with one.transaction(scope) as unit:
            await unit.insert(make("a"))
            with pytest.raises(UnavailableError) as caught:
                await insert(other, scope, make("b"))
            assert caught.value.reason == "StorageBusy"
        await insert(other, scope, make("b"))


async def test_a_database_without_writes_is_told(postgres: Cluster, scope: Scope, make: Make) -> None:
    url = postgres.database()
    async with open_postgres_store(url):
        pass
    name = (postgres_url(url).database or "").partition("?")[0]
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with open_postgres_store(url) as store:
        with pytest.raises(UnavailableError) as caught:
            await insert(store, scope, make("a"))
        assert caught.value.reason == "StorageReadOnly"
        assert (await store.read(scope).list("Agent")).items == ()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://root:hunter2@localhost/sac", "not a database that SAC knows"),
        ("postgresql://localhost", "names no database"),
        ("hunter2", "not a URL"),
    ],
)
async def test_a_url_that_cannot_be_used(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        async with open_postgres_store(url):
            pass
    assert caught.value.field == "SAC_DATABASE"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.replace("postgres@", "nobody:hunter2@"), "StorageRefused"),
        (lambda url: url.replace("@/t", "@/no_such_"), "StorageRefused"),
        (lambda url: url.replace("host=", "host=/nowhere"), "StorageLost"),
    ],
)
async def test_a_database_that_cannot_be_reached(postgres: Cluster, change: Callable[[str], str], reason: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        async with open_postgres_store(change(postgres.database())):
            pass
    assert caught.value.reason == reason
    assert caught.value.field == "SAC_DATABASE"
    assert "hunter2" not in str(caught.value)
