"""Room on the disk of a database file: a reserve is kept for it, so that a full disk can still be worked with.

When the disk is nearly full the reserve is given back to it. From then on nothing new is taken, and what is left of the
room is for what ends things and for what is noted of them. With space again, the reserve is made again.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from sac_core.store.faults import full

log = logging.getLogger("sac.store")

RESERVE = 4 * 1024 * 1024
"""Bytes that are kept for when the disk is full."""

LOW = 1024 * 1024
"""With fewer bytes than this left, the disk is as good as full."""


class Room:
    """For a database that has its disk elsewhere, and says itself when that is full."""

    def look(self) -> None:
        """Called before each unit of work."""

    def give_back(self) -> None:
        """Called when a write found no space."""

    def check(self) -> None:
        """Called before something new is added; raises `UnavailableError` (``StorageFull``) when it is not taken."""


class ReservedRoom(Room):
    """With a reserve in the file ``reserve``, whose name outlives a server: a full disk may be found at the start."""

    def __init__(self, reserve: Path) -> None:
        self._reserve = reserve
        self._kept = reserve.exists()

    def look(self) -> None:
        free = self._free()
        if self._kept and free < LOW:
            self.give_back()
        elif not self._kept and free >= RESERVE + 2 * LOW:
            self._keep()

    def give_back(self) -> None:
        if self._kept:
            log.warning("the disk that holds %s is full: only what ends things is written now", self._reserve.parent)
            self._reserve.unlink(missing_ok=True)
            self._kept = False

    def check(self) -> None:
        if not self._kept:
            raise full()

    def _free(self) -> int:
        try:
            found = os.statvfs(self._reserve.parent)
        except OSError:  # the folder has gone: whoever writes finds out, and says so better
            return LOW
        return found.f_bavail * found.f_frsize

    def _keep(self) -> None:
        """Take the space in one piece or not at all; what another took at the same moment is tried again later."""
        try:
            descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _allocate(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            self._reserve.unlink(missing_ok=True)
        else:
            self._kept = True


def _allocate(descriptor: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, RESERVE)
    else:
        os.write(descriptor, bytes(RESERVE))
