"""Streams of the engine: execs, events, pulls. Asynchronous, all on one thread, no byte lost behind the headers."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import anyio
from anyio.abc import ByteStream

from sac_executor_docker.address import Address
from sac_executor_docker.connections import FAILURES, SIZE, Pool, Request, Response, pool_of
from sac_executor_docker.frames import Frames
from sac_executor_docker.troubles import EngineAbsent, Refusal

_CONNECT = 10.0
_UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "tcp"), ("Content-Type", "application/json"))

Headers = Sequence[tuple[bytes | str, bytes | str]]


class Hijacked:
    """The raw stream of an exec or an attach: bytes both ways, the input ended apart."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._stream = response.extensions["network_stream"]
        self._reading: anyio.CancelScope | None = None

    async def receive(self) -> bytes:
        """Some bytes; empty at the end."""
        while True:
            with anyio.CancelScope() as self._reading:
                try:
                    data: bytes = await self._stream.read(SIZE, timeout=None)
                    return data
                except (*FAILURES, OSError):
                    return b""
                finally:
                    self._reading = None

    async def send(self, data: bytes) -> None:
        """Raises `anyio.BrokenResourceError` when nobody reads any more."""
        try:
            await self._stream.write(data, timeout=None)
        except (*FAILURES, OSError) as error:
            raise anyio.BrokenResourceError from error

    def end_input(self) -> None:
        """Tell the process that there is no more; its output goes on."""
        tls, writer = self._stream.get_extra_info("ssl_object"), self._stream.get_extra_info("writer")
        if tls is None:
            writer.write_eof()
            return
        with suppress(ssl.SSLWantReadError):
            tls.unwrap()
        if self._reading is not None:
            self._reading.cancel()  # a read that begins sends what TLS has to say first; one that waits does not

    async def aclose(self) -> None:
        """Close the connection."""
        with anyio.CancelScope(shield=True):
            await self._response.aclose()


class ExecStream(ByteStream):
    """The standard input and output of an exec without a terminal, as one stream of bytes."""

    def __init__(self, hijacked: Hijacked) -> None:
        self._hijacked = hijacked
        self._frames = Frames()
        self._ready: list[bytes] = []

    async def receive(self, max_bytes: int = 65536) -> bytes:
        while not self._ready:
            data = await self._hijacked.receive()
            if not data:
                raise anyio.EndOfStream
            self._ready = [bytes(piece) for stream, piece in self._frames.feed(data) if stream == 1]
        if len(self._ready[0]) > max_bytes:
            piece, self._ready[0] = self._ready[0][:max_bytes], self._ready[0][max_bytes:]
            return piece
        return self._ready.pop(0)

    async def send(self, item: bytes) -> None:
        await self._hijacked.send(item)

    async def send_eof(self) -> None:
        self._hijacked.end_input()

    async def aclose(self) -> None:
        await self._hijacked.aclose()


class Streams:
    """The engine's streams. Made by `open_streams`."""

    def __init__(self, address: Address, pool: Pool, timeout: float) -> None:
        self._address = address
        self._pool = pool
        self._timeout = timeout

    async def start_exec(self, exec_id: str, *, tty: bool) -> Hijacked:
        """Start an exec and take over its connection."""
        return await self._hijack(f"/exec/{exec_id}/start", {"Detach": False, "Tty": tty})

    async def attach(self, container: str) -> Hijacked:
        """The output of a container's own command, from its beginning, and its input."""
        query = "logs=1&stream=1&stdin=1&stdout=1&stderr=1"
        return await self._hijack(f"/containers/{container}/attach?{query}", {})

    async def stat(self, container: str, path: str) -> dict[str, Any] | None:
        """What is at a path of a container that need not run; None when nothing is."""
        async with self._answer("HEAD", f"/containers/{container}/archive", {"path": path}) as response:
            text = _header(response, b"x-docker-container-path-stat")
            if response.status != 200 or not text:
                return None
            found: dict[str, Any] = json.loads(base64.b64decode(text))
            return found

    async def pull(self, image: str, login: str | None) -> AsyncIterator[dict[str, Any]]:
        """Pull an image; yields what the engine tells. Cancelled, the engine gives up too."""
        headers = [("X-Registry-Auth", login)] if login else []
        name, tag = _split(image)
        query = {"fromImage": name, "tag": tag}
        async with self._answer("POST", "/images/create", query, headers, endless=True) as response:
            async with aclosing(_lines(response)) as lines:
                async for told in lines:
                    yield told

    async def build(self, query: Mapping[str, str], context: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
        """Build an image of a context, a tar; yields what the engine tells. Cancelled, the engine gives up too."""
        kind = [("Content-Type", "application/x-tar")]
        async with self._answer("POST", "/build", query, kind, content=context, endless=True) as response:
            async with aclosing(_lines(response)) as lines:
                async for told in lines:
                    yield told

    async def events(self, filters: Mapping[str, list[str]]) -> AsyncIterator[dict[str, Any]]:
        """What happens from now on; the first item, empty, says that the engine listens."""
        query = {"filters": json.dumps(filters)}
        async with self._answer("GET", "/events", query, endless=True) as response:
            yield {}
            async with aclosing(_lines(response)) as lines:
                async for told in lines:
                    yield told

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Headers = (),
        *,
        content: AsyncIterator[bytes] | None = None,
        endless: bool = False,
    ) -> AsyncIterator[Response]:
        """An answer that is no refusal; ``endless`` waits for as long as there is none, and between its pieces."""
        url = f"{self._address.url}{path}?{urlencode(query)}"
        timeout = {"connect": _CONNECT, "write": self._timeout, "read": None if endless else self._timeout}
        try:
            async with self._pool.stream(
                method, url, headers=headers, content=content, extensions={"timeout": timeout}
            ) as response:
                if method != "HEAD":
                    await _check(response)
                yield response
        except FAILURES as error:
            raise EngineAbsent.of(self._address, error) from None

    async def _hijack(self, path: str, body: dict[str, Any]) -> Hijacked:
        content = json.dumps(body).encode()
        host = urlsplit(self._address.url).netloc
        headers: Headers = (*_UPGRADE, ("Host", host), ("Content-Length", str(len(content))))
        timeout = {"connect": _CONNECT, "write": self._timeout, "read": self._timeout}
        request = Request(
            "POST",
            self._address.url + path,
            headers=headers,
            content=content,
            extensions={"timeout": timeout},
        )
        try:
            response = await self._pool.handle_async_request(request)
            if response.status == 101:
                return Hijacked(response)
            try:
                await _check(response)
                raise Refusal(response.status, "the engine did not hand its connection over")
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
        except FAILURES as error:
            raise EngineAbsent.of(self._address, error) from None


async def _lines(response: Response) -> AsyncGenerator[dict[str, Any]]:
    rest = b""
    async with aclosing(response.aiter_stream()) as pieces:
        async for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.strip():
                    yield json.loads(line)
    if rest.strip():
        yield json.loads(rest)


def _header(response: Response, name: bytes) -> bytes:
    return next((value for key, value in response.headers if key.lower() == name), b"")


async def _check(response: Response) -> None:
    if response.status < 400:
        return
    text = (await response.aread()).decode("utf-8", "replace")
    with suppress(ValueError, KeyError):
        text = json.loads(text)["message"]
    raise Refusal(response.status, text.strip())


def _split(image: str) -> tuple[str, str]:
    """Name and tag, or name and digest; ``latest`` if there is none: without a tag the engine would pull all."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return name, digest
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")


@asynccontextmanager
async def open_streams(address: Address, timeout: float) -> AsyncIterator[Streams]:
    """Streams of the engine; all are closed in the end."""
    async with pool_of(address) as pool:
        yield Streams(address, pool, timeout)
