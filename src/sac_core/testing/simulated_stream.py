"""A stream to a port of a simulated body, where what is said comes back."""

from __future__ import annotations

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream


class EchoStream(ByteStream):
    """Gives back what it was sent, and ends when that has ended."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._said = False
        self._closed = False
        self._changed = anyio.Event()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        while not self._data:
            self._check_open()
            if self._said:
                raise anyio.EndOfStream
            await self._changed.wait()
        data = bytes(self._data[:max_bytes])
        del self._data[:max_bytes]
        return data

    async def send(self, item: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        self._check_open()
        if self._said:
            raise anyio.ClosedResourceError
        self._data += item
        self._tell()

    async def send_eof(self) -> None:
        self._said = True
        self._tell()

    async def aclose(self) -> None:
        self._closed = True
        self._tell()

    def _check_open(self) -> None:
        if self._closed:
            raise anyio.ClosedResourceError

    def _tell(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
