"""The routes of files: tar streams both ways, in step with whoever is slower."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import anyio
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp

from sac_core.errors import LostError, SacError
from sac_core.models.file import FileStat
from sac_core.server.answers import document
from sac_core.server.call import Call
from sac_core.server.door import MediaTypeError
from sac_core.server.route import Route
from sac_core.server.streams import Form, Streamed
from sac_core.wire.files import TAR, encode_cut

_FILES = "/api/v1/agents/{name}/files"
_PATIENCE = 300.0
"""Seconds that a client may leave what it is sent: then the answer is cut, and the command in the body ended."""
_DROPPING = 10.0
"""Seconds of an archive that nobody takes any more which are read and dropped: its sender gets an answer."""


def file_routes() -> Iterator[Route]:
    """The routes of files."""
    path = ("path",)
    yield Route("GET", _FILES, "files:get", get, "A file or what is in a folder, as a tar archive",
                query=path, raw=path, media_type=TAR)  # fmt: skip
    yield Route("PUT", _FILES, "files:put", put, "Extract a tar archive into a folder",
                query=path, raw=path, takes=TAR, status=204)  # fmt: skip
    yield Route("GET", f"{_FILES}/stat", "files:get", stat, "Whether there is a file or a folder",
                query=path, raw=path, returns=FileStat)  # fmt: skip


async def stat(call: Call) -> ASGIApp:
    return document(await call.sac.files.stat(call.name, _path(call)))


async def get(call: Call) -> ASGIApp:
    if call.scope["method"] == "HEAD":  # its answer has no body: none is read for it
        await call.sac.files.stat(call.name, _path(call))
        return Response(media_type=TAR)
    form = Form(TAR, bytes, first=math.inf, patience=_PATIENCE, cut=encode_cut)
    return Streamed(call, call.sac.files.get(call.name, _path(call)), form)


async def put(call: Call) -> ASGIApp:
    _check_type(call)
    upload = _Upload(call)
    with call.site.live.joined(call.known) as connection, connection.scope:
        try:
            async with aclosing(upload.pieces()) as pieces:
                await call.sac.files.put(call.name, _path(call), pieces)
        except SacError:
            await upload.drop()
            raise
        await upload.drop()
        return Response(status_code=204)
    raise LostError("the server ended this upload", hint="send it again")


class _Upload:
    """The body of a request, piece by piece."""

    def __init__(self, call: Call) -> None:
        self._receive = call.receive
        self._ended = False

    async def pieces(self) -> AsyncGenerator[bytes]:
        while not self._ended:
            data = await self._next()
            if data:
                yield data

    async def drop(self) -> None:
        """Read what still comes, for a while."""
        with anyio.move_on_after(_DROPPING):
            while not self._ended:
                await self._next()

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        data: bytes = message.get("body", b"")
        return data


def _path(call: Call) -> str:
    """What is asked for; without it, the folder where the agent's commands run."""
    return call.query.get("path", ".")


def _check_type(call: Call) -> None:
    given = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
    if given != TAR:
        raise MediaTypeError(
            f"a body of type {given[:80] or 'unknown'!r} is not taken", field="Content-Type", hint=f"send {TAR}"
        )
