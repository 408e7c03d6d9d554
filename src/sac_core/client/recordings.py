"""Recordings over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sac_core.client.connection import Connection, translated
from sac_core.client.kinds import RECORDING_KIND
from sac_core.client.resources import HttpResources
from sac_core.contracts.sac import Recordings
from sac_core.models.recording import Recording


class HttpRecordings(HttpResources[Recording], Recordings):
    """What sessions of a server printed."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, RECORDING_KIND)

    async def cast(self, name: str) -> AsyncGenerator[bytes]:
        async with self._connection.stream(self._path(name, "cast"), query={}) as answer:
            with translated(self._connection.address, begun=True):
                async for piece in answer.aiter_bytes():
                    yield piece
