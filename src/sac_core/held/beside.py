"""What runs in a body beside the holder, where SAC reaches a body only by starting programs in it.

`RELAY` gives a stream to the holder, `DELIVER` brings the files of secrets; both are in `sac_core.held.program`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping

import anyio
from anyio.abc import ByteStream

from sac_core.errors import UnavailableError

_DEADLINE = 10.0

Start = Callable[[], Awaitable[ByteStream]]
"""Starts a program in a body; the stream is its input and output, and ends with it."""


async def greeted(stream: ByteStream) -> bool:
    """Whether `RELAY`, whose input and output this is, has a holder at its other end; the stream is closed if not."""
    try:
        with anyio.fail_after(_DEADLINE):
            if await stream.receive(1) == b"+":
                return True
    except (anyio.EndOfStream, TimeoutError):
        pass
    except BaseException:
        await stream.aclose()
        raise
    await stream.aclose()
    return False


class Deliverer:
    """Remembers which files a body has, as far as we know: nothing is done for those it has."""

    def __init__(self) -> None:
        self._delivered: dict[str, bytes] = {}

    async def deliver(self, life: str, files: Mapping[str, bytes], start: Start) -> None:
        """Let the body have these files and no others, by `DELIVER`; raises `UnavailableError` when it did not.

        ``life`` names one start of the body: the next one begins without files.
        """
        message = b"".join(_sized(part) for name, value in files.items() for part in (name.encode(), value))
        digest = hashlib.sha256(message).digest()
        if self._delivered.get(life) == digest:
            return
        with anyio.move_on_after(_DEADLINE):
            async with await start() as stream:
                await stream.send(_sized(message))
                if await _all(stream) == b"delivered\n":
                    self._delivered[life] = digest
                    return
        raise UnavailableError("the files of secrets could not be delivered", retry_after=1)

    def forget(self, begins: str) -> None:
        """Lives whose names begin so are over."""
        self._delivered = {life: digest for life, digest in self._delivered.items() if not life.startswith(begins)}


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


async def _all(stream: ByteStream) -> bytes:
    said = b""
    try:
        while True:
            said += await stream.receive()
    except anyio.EndOfStream:
        return said
