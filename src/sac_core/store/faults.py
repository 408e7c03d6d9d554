"""What a database's failure means to a caller. Texts name no SQL and no values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from sac_core.errors import ConflictError, InvalidError, SacError, UnavailableError

_PRIMARY = 0xFF
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def translated() -> Iterator[None]:
    """Raise our errors for the database's."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _meaning(error) from _cause(error)
    except (UnicodeEncodeError, OverflowError):
        raise InvalidError("a text is not Unicode, or a number is too big", hint="use UTF-8 and 64 bits") from None


def busy() -> UnavailableError:
    """Others held the database for too long."""
    return UnavailableError("the database is busy; nothing was written", reason="StorageBusy", retry_after=1.0)


def full() -> UnavailableError:
    """There is no room to write."""
    return UnavailableError(
        "the disk that holds the database is full; nothing was written",
        reason="StorageFull",
        hint="free some space under SAC_DATA_DIR and try again; reading still works",
        retry_after=10.0,
    )


def failed() -> UnavailableError:
    """The database could not be read or written."""
    return UnavailableError(
        "the database could not be read or written; nothing was written",
        reason="StorageFailed",
        hint="check the disk that holds SAC_DATA_DIR: that it is mounted, writable and has space",
        retry_after=10.0,
    )


def _damaged() -> UnavailableError:
    return UnavailableError(
        "the database file is damaged, or is not a database of SAC",
        reason="StorageDamaged",
        hint="restore it from a backup, or give another SAC_DATA_DIR",
    )


def _meaning(error: SQLAlchemyError) -> SacError:
    if isinstance(error, IntegrityError):
        return ConflictError("another write was there first", hint="read it again and repeat the change")
    if not isinstance(error, DBAPIError):
        return busy()  # the pool's time-out
    code = getattr(error.orig, "sqlite_errorcode", 0)
    if code in _FULL:
        return full()
    if code & _PRIMARY in _BUSY:
        return busy()
    return _damaged() if code & _PRIMARY in _DAMAGED else failed()


def _cause(error: SQLAlchemyError) -> BaseException | None:
    """The driver's error; SQLAlchemy's carries the statement in its text."""
    return error.orig if isinstance(error, DBAPIError) else None
