"""Streams of the engine: execs, events, pulls. Asynchronous, all on one thread, no byte lost behind the headers."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import httpx2
from anyio.abc import ByteStream

from sac_executor_docker.address import Address
from sac_executor_docker.frames import Frames
from sac_executor_docker.troubles import EngineAbsent, Refusal

_CONNECT = 10.0
_SIZE = 256 * 1024
_UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp", "Content-Type": "application/json"}


class Hijacked:
    """The raw stream of an exec or an attach: bytes both ways, the input ended apart."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._stream = response.extensions["network_stream"]

    async def receive(self) -> bytes:
        """Some bytes; empty at the end."""
        try:
            data: bytes = await self._stream.read(_SIZE, timeout=None)
        except (httpx2.HTTPError, OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return b""
        except Exception as error:
            if _ended(error):
                return b""
            raise
        return data

    async def send(self, data: bytes) -> None:
        """Raises `anyio.BrokenResourceError` when nobody reads any more."""
        try:
            await self._stream.write(data, timeout=None)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise anyio.BrokenResourceError from error
        except Exception as error:
            if _ended(error):
                raise anyio.BrokenResourceError from error
            raise

    def end_input(self) -> None:
        """Tell the process that there is no more; its output goes on."""
        tls = self._stream.get_extra_info("ssl_object")
        if tls is not None:
            with suppress(ssl.SSLWantReadError):
                tls.unwrap()
            return
        self._stream.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """Close the connection."""
        with anyio.CancelScope(shield=True):
            await self._stream.aclose()


def _ended(error: Exception) -> bool:
    """Whether a failure of the network library is the end of a stream."""
    return type(error).__module__.startswith(("httpcore2", "httpx2")) or isinstance(error, ssl.SSLZeroReturnError)


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

    def __init__(self, address: Address, client: httpx2.AsyncClient) -> None:
        self._address = address
        self._client = client

    async def start_exec(self, exec_id: str, *, tty: bool) -> Hijacked:
        """Start an exec and take over its connection."""
        return await self._hijack(f"/exec/{exec_id}/start", {"Detach": False, "Tty": tty})

    async def attach(self, container: str) -> Hijacked:
        """The output of a container's own command, from its beginning, and its input."""
        query = "logs=1&stream=1&stdin=1&stdout=1&stderr=1"
        return await self._hijack(f"/containers/{container}/attach?{query}", {})

    async def stat(self, container: str, path: str) -> dict[str, Any] | None:
        """What is at a path of a container that need not run; None when nothing is."""
        try:
            response = await self._client.head(f"/containers/{container}/archive", params={"path": path})
        except httpx2.HTTPError as error:
            raise EngineAbsent.of(self._address, error) from None
        text = response.headers.get("x-docker-container-path-stat")
        if response.status_code != 200 or not text:
            return None
        found: dict[str, Any] = json.loads(base64.b64decode(text))
        return found

    async def pull(self, image: str, login: str | None) -> AsyncIterator[dict[str, Any]]:
        """Pull an image; yields what the engine tells. Cancelled, the engine gives up too."""
        headers = {"X-Registry-Auth": login} if login else {}
        name, tag = _split(image)
        params = {"fromImage": name, "tag": tag}
        async for told in self._lines("POST", "/images/create", params, headers):
            yield told

    async def events(self, filters: Mapping[str, list[str]]) -> AsyncIterator[dict[str, Any]]:
        """What happens from now on; the first item, empty, says that the engine listens."""
        async for told in self._lines("GET", "/events", {"filters": json.dumps(filters)}, {}, first=True):
            yield told

    async def _lines(
        self, method: str, path: str, params: dict[str, str], headers: dict[str, str], *, first: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        timeout = httpx2.Timeout(_CONNECT, read=None)
        try:
            async with self._client.stream(method, path, params=params, headers=headers, timeout=timeout) as response:
                await _check(response)
                if first:
                    yield {}
                async for line in response.aiter_lines():
                    if line.strip():
                        yield json.loads(line)
        except httpx2.HTTPError as error:
            raise EngineAbsent.of(self._address, error) from None

    async def _hijack(self, path: str, body: dict[str, Any]) -> Hijacked:
        request = self._client.build_request("POST", path, json=body, headers=_UPGRADE)
        try:
            response = await self._client.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise EngineAbsent.of(self._address, error) from None
        if response.status_code not in (101, 200):
            try:
                await _check(response)
            finally:
                await response.aclose()
        return Hijacked(response)


async def _check(response: httpx2.Response) -> None:
    if response.status_code < 400:
        return
    text = (await response.aread()).decode("utf-8", "replace")
    with suppress(ValueError, KeyError):
        text = json.loads(text)["message"]
    raise Refusal(response.status_code, text.strip())


def _split(image: str) -> tuple[str, str]:
    """Name and tag, or name and digest; ``latest`` if there is none: without a tag the engine would pull all."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return name, digest
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")


def _context(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(address.tls / "ca.pem") if address.tls else None)
    if address.tls is not None:
        context.load_cert_chain(address.tls / "cert.pem", address.tls / "key.pem")
    return context


@asynccontextmanager
async def open_streams(address: Address, timeout: float) -> AsyncIterator[Streams]:
    """Streams of the engine; all are closed in the end."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=8)
    verify: ssl.SSLContext | bool = _context(address) if address.tls else False
    transport = httpx2.AsyncHTTPTransport(uds=address.socket, verify=verify, limits=limits, trust_env=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url=address.url, timeout=httpx2.Timeout(timeout, connect=_CONNECT), trust_env=False
    ) as client:
        yield Streams(address, client)
