"""Bytes on their way to a body's server: what it does not take is not waited for without end.

While it takes nothing, nobody listens to the client, so that nobody sees when the client leaves: hence the deadline.
"""

from __future__ import annotations

from typing import Final

import anyio
from anyio.abc import ByteStream

from sac_core.errors import DeadlineError

PIECE: Final = 64 * 1024
STALL = 60.0
"""Seconds in which each piece is taken; there is no limit for the whole."""
BROKEN: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)
"""What a stream raises when its other end has gone."""


async def give(stream: ByteStream, data: bytes) -> None:
    """Send all of it; raises `DeadlineError` when a piece is not taken in time.

    A body that has gone takes nothing more and is no error here: the other direction tells how it ended.
    """
    for start in range(0, len(data), PIECE):
        with anyio.move_on_after(STALL) as waiting:
            try:
                await stream.send(data[start : start + PIECE])
            except BROKEN:
                return
        if waiting.cancelled_caught:
            raise DeadlineError(f"the agent's server took nothing for {STALL:g} s", reason="Stalled")
