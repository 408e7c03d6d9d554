"""Chunks of a recording, compressed and sealed, each bound to its place and to the one before it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from anyio import to_thread

from sac_core.contracts.chunks import Chunks, StoredChunk
from sac_core.contracts.sealing import Sealing
from sac_core.errors import LostError

_LEVEL = 1
_LARGE = 16 * 1024
"""Bytes from which on a thread compresses them."""

_BATCH = 16


@dataclass(frozen=True, slots=True)
class Safe:
    """Where the chunks of one recording are kept."""

    chunks: Chunks
    sealing: Sealing
    tenant: str
    recording: str

    async def sealed(self, number: int, data: bytes) -> bytes:
        """The form in which a chunk's bytes are kept."""
        if len(data) < _LARGE:
            small = zlib.compress(data, _LEVEL)
        else:
            small = await to_thread.run_sync(zlib.compress, data, _LEVEL)
        return await self.sealing.seal(self.tenant, self._place(number), small)

    async def opened(self, chunk: StoredChunk) -> bytes:
        """The bytes of a chunk; raises `UnavailableError` when they were changed."""
        small = await self.sealing.unseal(self.tenant, self._place(chunk.number), chunk.data)
        return zlib.decompress(small) if len(small) < _LARGE else await to_thread.run_sync(zlib.decompress, small)

    async def all(self) -> AsyncIterator[tuple[StoredChunk, bytes]]:
        """Every chunk there is by now, in order, with its bytes; `LostError` when one is missing or was replaced."""
        number, digest = 0, ""
        while found := await self.chunks.after(self.recording, number, limit=_BATCH):
            for chunk in found:
                if chunk.number != number + 1 or chunk.digest != chained(digest, chunk.data):
                    raise broken(f"chunk {number + 1} is missing or was changed")
                number, digest = chunk.number, chunk.digest
                yield chunk, await self.opened(chunk)

    def _place(self, number: int) -> str:
        return f"recording/{self.recording}/{number}"


def chained(before: str, data: bytes) -> str:
    """The digest of a chunk: over the one before it and its sealed bytes."""
    return hashlib.sha256(before.encode() + data).hexdigest()


def broken(why: str) -> LostError:
    """The recording is not what was kept."""
    return LostError(f"the recording is damaged: {why}", reason="RecordingBroken", hint="restore it from a backup")
