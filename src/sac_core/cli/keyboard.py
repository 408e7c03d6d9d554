"""What the user types, without the keys that detach."""

from __future__ import annotations

from typing import NamedTuple

import anyio

from sac_core.cli.keys import HELD, DetachKeys
from sac_core.cli.streams import STDIN, read


class Typed(NamedTuple):
    """Bytes for the process, and whether the detach keys followed them."""

    data: bytes
    detach: bool = False


class Keyboard:
    """Reads the terminal. The beginning of the detach keys is held back for a second, so that it can be typed too."""

    def __init__(self, keys: bytes) -> None:
        self._keys = DetachKeys(keys)

    async def read(self) -> Typed | None:
        """What was typed; None when the terminal hung up."""
        if not self._keys.holding:
            return await self._next()
        with anyio.move_on_after(HELD):
            return await self._next()
        return Typed(self._keys.release())

    async def _next(self) -> Typed | None:
        data = await read(STDIN)
        return Typed(*self._keys.feed(data)) if data else None
