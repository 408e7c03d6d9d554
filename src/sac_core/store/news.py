"""Waiting for a newer version than one that is known."""

from __future__ import annotations

import anyio


class News:
    """The newest committed version that this server knows of, and a way to wait for a newer one."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._told = anyio.Event()

    def tell(self, version: int) -> None:
        """Wake all that wait; an older version than the known one is no news."""
        if version > self._version:
            self._version = version
            self._told.set()
            self._told = anyio.Event()

    async def wait(self, since: int, timeout: float) -> int:
        """See `Store.wait_changed`."""
        with anyio.move_on_after(timeout):
            while self._version <= since:
                await self._told.wait()
        return self._version
