"""Open the store on a SQLite file."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path

from sac_core.contracts.context import utc_now
from sac_core.contracts.store import Store
from sac_core.errors import ConfigurationError, SacError
from sac_core.store.connection import Readings, Writer
from sac_core.store.engine import make_private, read_engine, write_engine
from sac_core.store.faults import full
from sac_core.store.identity import prepare
from sac_core.store.lock import locked
from sac_core.store.news import News
from sac_core.store.room import ReservedRoom
from sac_core.store.settle import settled
from sac_core.store.store import SqlStore


@asynccontextmanager
async def open_sqlite_store(
    path: Path, *, server_id: str, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[Store]:
    """The store on the database file ``path``, made with mode 0600 when there is none, migrated when it is old.

    One process at a time holds a file. Raises `ConfigurationError` (``Locked`` when another server runs on it,
    ``NewerDatabase`` when a newer SAC wrote it) and `UnavailableError` when the disk is full or the file is damaged.
    """
    with _held(path, server_id):
        writing, reading = write_engine(path), read_engine(path)
        writer, readings = Writer(writing, _room(path)), Readings(reading)
        try:
            identity, version = await settled(prepare(writing))
            yield SqlStore(readings, writer, installation=identity, news=News(version), clock=clock)
        finally:
            await settled(_close(readings, writer))


def _room(path: Path) -> ReservedRoom:
    """Room at the start, too: of a full disk, and of one that has its reserve yet."""
    room = ReservedRoom(path.with_name(f"{path.name}.reserve"))
    room.look()
    return room


@contextmanager
def _held(path: Path, server_id: str) -> Iterator[None]:
    """The lock on a file that is there."""
    with ExitStack() as stack:
        try:
            make_private(path)
            stack.enter_context(locked(path, server_id=server_id))
        except OSError as error:
            raise _unusable(path, error) from error
        yield


def _unusable(path: Path, error: OSError) -> SacError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full()
    return ConfigurationError(
        f"the database {path} cannot be opened: {error.strerror}",
        field="SAC_DATA_DIR",
        hint="give a folder that this user may write to",
    )


async def _close(readings: Readings, writer: Writer) -> None:
    await writer.aclose()
    await readings.aclose()
