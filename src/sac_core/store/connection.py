"""Running statements: on the readers' pool, or in the one transaction that may write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio
from sqlalchemy import Executable
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sac_core.errors import UnavailableError
from sac_core.store.faults import FULL, LOST, busy, translated, unknown
from sac_core.store.room import Room
from sac_core.store.settle import settled

T = TypeVar("T")

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
        work = partial(self._run, statement, parameters)
        return await settled(again_if_lost(work))  # cut off, the driver would leave a task behind

    async def _run(self, statement: Executable, parameters: Any) -> Rows:
        with translated():
            async with self._engine.connect() as connection:
                try:
                    return (await connection.execute(statement, parameters)).all()
                except OSError:  # no answer in time: what comes late must not meet the next statement
                    await connection.invalidate()
                    raise

    async def aclose(self) -> None:
        self._open = False
        await self._engine.dispose()


class Transaction:
    """One transaction. After a failure of the database it is broken: it may have been rolled back beneath us."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._connection = engine.connect()
        self._engine = engine
        self._broken: UnavailableError | None = None
        self._told: Callable[[], None] = _nobody

    async def begin(self) -> None:
        """Take a connection and what the database's kind has as a lock of writers."""
        try:
            with translated():
                await self._connection.start()
                await self._connection.begin()
        except UnavailableError:
            await _release(self._connection)
            self._connection = self._engine.connect()
            raise

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
        try:
            with translated():
                await self._connection.commit()
        except UnavailableError as error:
            self._broken = error
            raise (unknown() if error.reason == LOST else error) from error
        self._told()

    async def release(self) -> None:
        """Give the connection back; what is not committed is rolled back. One that does not answer is replaced."""
        if self._broken is not None and self._broken.reason == LOST:
            await _replace(self._connection)
        await _release(self._connection)

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

    def __init__(self, engine: AsyncEngine, room: Room | None = None) -> None:
        self._engine = engine
        self.room = room or Room()
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
        transaction = Transaction(self._engine)
        self.room.look()
        try:
            await settled(again_if_lost(transaction.begin))
            yield transaction
            await settled(transaction.commit())
        except UnavailableError as error:
            if error.reason == FULL:
                self.room.give_back()
            raise
        finally:
            await settled(transaction.release())

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


async def again_if_lost(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do what has no effect once more when the connection was lost: the pool has replaced it."""
    try:
        return await work()
    except UnavailableError as error:
        if error.reason != LOST:
            raise
        return await work()


async def _release(connection: AsyncConnection) -> None:
    """Give the connection back; one that cannot be rolled back is replaced."""
    if connection.sync_connection is None:
        return
    try:
        await connection.close()
    except (SQLAlchemyError, OSError):
        await _replace(connection)


async def _replace(connection: AsyncConnection) -> None:
    """Have the pool make another; one that could not be closed properly may be so already."""
    if not connection.closed:
        await connection.invalidate()
