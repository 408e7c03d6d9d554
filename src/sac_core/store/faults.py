"""What a database's failure means to a caller. Texts name no SQL and no values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from sac_core.errors import ConflictError, InvalidError, SacError, UnavailableError

LOST = "StorageLost"
"""The reason of failures that another connection may not have."""

FULL = "StorageFull"
"""The reason of failures for want of space."""

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
        raise _unstorable() from None
    except OSError as error:  # nothing listens, or nothing answers in time
        raise lost() from error
    except Exception as error:
        if not hasattr(error, "sqlstate"):
            raise
        raise _by_state(error.sqlstate) from error


def busy() -> UnavailableError:
    """Others held the database for too long."""
    return UnavailableError("the database is busy; nothing was written", reason="StorageBusy", retry_after=1.0)


def full() -> UnavailableError:
    """There is no room to write."""
    return UnavailableError(
        "the disk that holds the database is full; nothing was written",
        reason=FULL,
        hint="free some space under SAC_DATA_DIR and try again; reading, stopping and deleting still work",
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


def lost() -> UnavailableError:
    """The database does not answer, or the connection broke."""
    return UnavailableError(
        "the database does not answer",
        reason=LOST,
        hint="check that PostgreSQL runs and that SAC_DATABASE names it; SAC goes on by itself when it is back",
        retry_after=2.0,
    )


def unknown() -> UnavailableError:
    """The connection broke while it committed."""
    return UnavailableError(
        "the connection to the database broke while the change was committed: it is made, or it is not",
        reason="StorageUnknown",
        hint="look whether it was made; a create with an Idempotency-Key can simply be repeated",
        retry_after=2.0,
    )


def _unstorable() -> InvalidError:
    return InvalidError("a text is not Unicode, or a number is too big", hint="use UTF-8 without NUL, and 64 bits")


def _full_server() -> UnavailableError:
    return UnavailableError(
        "PostgreSQL has no room to write; nothing was written",
        reason=FULL,
        hint="free some space for PostgreSQL and try again; reading still works",
        retry_after=10.0,
    )


def _read_only() -> UnavailableError:
    return UnavailableError(
        "the database takes no writes; nothing was written",
        reason="StorageReadOnly",
        hint="SAC_DATABASE must name the primary, not a standby",
        retry_after=10.0,
    )


def _refused(state: str) -> UnavailableError:
    return UnavailableError(
        f"PostgreSQL refused SAC (SQLSTATE {state})",
        reason="StorageRefused",
        hint="check the user, the password, the name of the database and the rights in SAC_DATABASE",
        retry_after=10.0,
    )


def _failed_server(state: str) -> UnavailableError:
    return UnavailableError(
        f"PostgreSQL could not do what SAC asked (SQLSTATE {state}); nothing was written",
        reason="StorageFailed",
        hint="its log says more",
        retry_after=10.0,
    )


def _by_state(state: str) -> SacError:
    """By SQLSTATE, https://www.postgresql.org/docs/15/errcodes-appendix.html."""
    if state in ("53100", "53200"):
        return _full_server()
    if state in ("40001", "40P01", "55P03", "57014"):
        return busy()
    if state == "25006":
        return _read_only()
    if state[:2] == "22":
        return _unstorable()
    if state[:2] in ("28", "3D") or state == "42501":
        return _refused(state)
    return lost() if state[:2] in ("", "08", "53", "57", "25") else _failed_server(state)


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
    state = getattr(error.orig, "sqlstate", None)
    if state is not None or error.connection_invalidated:
        return _by_state(state or "")
    code = getattr(error.orig, "sqlite_errorcode", 0)
    if code in _FULL:
        return full()
    if code & _PRIMARY in _BUSY:
        return busy()
    return _damaged() if code & _PRIMARY in _DAMAGED else failed()


def _cause(error: SQLAlchemyError) -> BaseException | None:
    """The driver's error; SQLAlchemy's carries the statement in its text."""
    return error.orig if isinstance(error, DBAPIError) else None
