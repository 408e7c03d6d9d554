"""The lock that keeps a second server off a database file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sac_core.errors import ConfigurationError


@contextmanager
def locked(database: Path, *, server_id: str) -> Iterator[str]:
    """Hold ``<database>.lock`` for this process; raises `ConfigurationError` (reason ``Locked``) that names the holder.

    Yields the id of the server that held it before, which is certainly not alive any more; empty for the first one.
    The file stays: removing it would let two processes hold locks on two files of one name.
    """
    descriptor = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, database)
        before = os.pread(descriptor, 256, 0).decode(errors="replace").splitlines()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n{server_id}\n".encode(), 0)
        yield before[1] if len(before) > 1 else ""
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, database: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigurationError(
            f"{database} is in use by a running server, process {_holder(descriptor)}",
            reason="Locked",
            field="SAC_DATA_DIR",
            hint="stop it, or give another SAC_DATA_DIR; a running server is reached with connect()",
        ) from None


def _holder(descriptor: int) -> str:
    first = os.pread(descriptor, 64, 0).decode(errors="replace").partition("\n")[0]
    return first if first.isdigit() else "unknown"
