"""Running statements: on the readers' pool, or in the one transaction that may write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
from sqlalchemy import Executable
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sac_core.errors import UnavailableError
from sac_core.store.faults import busy, translated
from sac_core.store.settle import settled

Rows = Sequence[Any]
"""Rows as tuples of a statement's columns."""

TURN_TIMEOUT = 10.0
"""Seconds that a transaction waits for those before it."""


class Run(Protocol):
    """Runs one statement and returns all its rows; raises errors of SAC."""

    async def __call__(self, statement: Executable, parameters: Any = None, /) -> Rows: ...


class Readings:
    """Statements that read, each on a connection of the pool and in a snapshot of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._open = True

    async def run(self, statement: Executable, parameters: Any = None, /) -> Rows:
        if not self._open:
            raise closed()
        return await settled(self._run(statement, parameters))  # cut off, the driver would leave a task behind

    async def _run(self, statement: Executable, parameters: Any) -> Rows:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(statement, parameters)).all()

    async def aclose(self) -> None:
        self._open = False
        await self._engine.dispose()


class Transaction:
    """One transaction. After a failure of the database it is broken: it may have been rolled back beneath us."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._broken: UnavailableError | None = None
        self._told: Callable[[], None] = _nobody

    async def run(self, statement: Executable, parameters: Any = None, /) -> Rows:
        self._check()
        return await settled(self._run(statement, parameters))

    async def _run(self, statement: Executable, parameters: Any) -> Rows:
        try:
            with translated():
                result = await self._connection.execute(statement, parameters)
                return result.all() if result.returns_rows else ()
        except UnavailableError as error:
            self._broken = error
            raise

    async def commit(self) -> None:
        self._check()
        with translated():
            await self._connection.commit()
        self._told()

    def after_commit(self, told: Callable[[], None]) -> None:
        """Call ``told`` when it is committed, also when a cancellation comes while the commit is on its way."""
        self._told = told

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken


def _nobody() -> None:
    """Told of a commit when nobody asked to be."""


class Writer:
    """The one connection that writes. Transactions take turns in order; nothing keeps a turn but a running block."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = anyio.Semaphore(1)
        self._open = True

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit at the end of the block, roll back when it raises or is cancelled. Nested it would wait for itself."""
        await self._take_turn()
        try:
            async with self._begun() as connection:
                yield connection
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _begun(self) -> AsyncIterator[Transaction]:
        connection = self._engine.connect()
        try:
            await settled(_begin(connection))
            transaction = Transaction(connection)
            yield transaction
            await settled(transaction.commit())
        finally:
            await settled(_release(connection))

    async def _take_turn(self) -> None:
        if not self._open:
            raise closed()
        with anyio.move_on_after(TURN_TIMEOUT):
            await self._turn.acquire()
            return
        raise busy()

    async def aclose(self) -> None:
        """Let the running transaction end, then close."""
        self._open = False
        with anyio.move_on_after(TURN_TIMEOUT):
            await self._turn.acquire()
        await self._engine.dispose()


def closed() -> UnavailableError:
    """The store was used after its context ended."""
    return UnavailableError("the store is closed", reason="StorageClosed", hint="use it inside its async with block")


async def _begin(connection: AsyncConnection) -> None:
    with translated():
        await connection.start()
        await connection.begin()


async def _release(connection: AsyncConnection) -> None:
    """Give the connection back; what is not committed is rolled back. One that cannot be rolled back is replaced."""
    if connection.sync_connection is None:
        return
    try:
        await connection.close()
    except SQLAlchemyError:
        await connection.invalidate()
