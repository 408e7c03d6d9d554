"""Files over HTTP."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable
from urllib.parse import urlencode

from sac_core.client.connection import Connection, translated
from sac_core.client.resources import segments
from sac_core.contracts.files import Files
from sac_core.errors import InvalidError, LostError
from sac_core.models.base import parse
from sac_core.models.file import FileStat
from sac_core.wire.files import LONGEST, TAR, decode_cut


class HttpFiles(Files):
    """Files of agents of a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stat(self, agent: str, path: str) -> FileStat:
        return parse(FileStat, await self._connection.request("GET", _url(agent, path, "stat")))

    async def get(self, agent: str, path: str) -> AsyncGenerator[bytes]:
        """The end is held back until it is known whether it belongs to the archive or tells why this broke off."""
        held = b""
        async with self._connection.stream(_url(agent, path)) as answer:
            try:
                with translated(self._connection.address, begun=True):
                    async for data in answer.aiter_bytes():
                        held += data
                        if len(held) > LONGEST:
                            yield held[:-LONGEST]
                            held = held[-LONGEST:]
            except LostError as broken:
                raise decode_cut(held) or broken from None
            yield held

    async def put(self, agent: str, path: str, tar: AsyncIterable[bytes]) -> None:
        await self._connection.upload(_url(agent, path), tar, media_type=TAR)


def _url(agent: str, path: str, *more: str) -> str:
    try:
        return f"{segments('agents', agent, 'files', *more)}?{urlencode({'path': os.fsencode(path)})}"
    except UnicodeEncodeError:
        raise InvalidError("it has signs that no file name has", field="path") from None
