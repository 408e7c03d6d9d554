"""The client library of Kubernetes, imported here alone: TLS, connections, HTTP and WebSockets of its `aio` part.

Its models are not used: they are slow to make, and objects are dictionaries everywhere else here.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from sac_executor_kubernetes.addresses import refused
from sac_executor_kubernetes.kubeconfig import Access

FAILURES = (aiohttp.ClientError, TimeoutError, OSError)
"""What calls raise when the cluster cannot be reached, does not answer in time, or breaks off."""
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
"""Of execs; only the first can end the input alone."""
CLOSING = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)

WebSocket = aiohttp.ClientWebSocketResponse
Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""

_HEARTBEAT, _GOODBYE = 20.0, 0.5


class Sdk:
    """Calls of one cluster. Makes its connections in the event loop that first calls it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._rest = _rest(access)

    async def request(
        self, method: str, path: str, *, body: object = None, kind: str = "application/json", timeout: float
    ) -> Answer:
        """One call, answered whole."""
        headers = {**self._headers(), "Content-Type": kind, "Accept": "application/json"}
        limit = aiohttp.ClientTimeout(total=timeout)
        done = await self._rest.request(method, self._url(path), headers=headers, body=body, _request_timeout=limit)
        data = await done.read()
        return done.status, done.headers, bytes(data)

    @asynccontextmanager
    async def lines(self, path: str, *, silence: float) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """A call whose answer comes line by line, with its status; nothing for ``silence`` seconds is a time-out."""
        limit = aiohttp.ClientTimeout(total=None, sock_connect=silence, sock_read=silence)
        done = await self._rest.request("GET", self._url(path), headers=self._headers(), _request_timeout=limit)
        try:
            yield done.status, done.response.content
        finally:
            connection = done.response.connection
            if connection is not None and connection.transport is not None:  # of a watch that is left: no farewell
                connection.transport.abort()
            done.response.close()

    async def websocket(self, path: str, *, timeout: float) -> WebSocket:
        """Open a WebSocket; its ``protocol`` is the one of `PROTOCOLS` that the cluster chose."""
        import anyio

        session = self._session()
        with anyio.fail_after(timeout):
            return await session.ws_connect(
                self._url(path).replace("https://", "wss://", 1),
                headers=self._headers(),
                protocols=PROTOCOLS,
                heartbeat=_HEARTBEAT,
                max_msg_size=0,
                server_hostname=self._access.server_name,
                timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE),
            )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._rest.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._rest.pool_manager is None:
            self._rest.pool_manager = self._rest._create_pool_manager()
        session: aiohttp.ClientSession = self._rest.pool_manager
        return session

    def _url(self, path: str) -> str:
        return self._access.server + path

    def _headers(self) -> dict[str, str]:
        token = self._access.token
        if self._access.token_file is not None:
            token = self._access.token_file.read_text().strip()
        return {"User-Agent": "sac", **({"Authorization": f"Bearer {token}"} if token else {})}


def refused_status(error: BaseException) -> tuple[int, str] | None:
    """The status and what was said when a WebSocket was refused."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return error.status, error.message
    return None


def certificate_trouble(error: BaseException) -> bool:
    """Whether the other side is not who it should be."""
    return isinstance(error, aiohttp.ClientSSLError | ssl.SSLError)


class _Connections(RESTClientObject):
    """The library's, to addresses that may be a cluster's."""

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, resolver=_Resolver())


class _Resolver(AbstractResolver):
    """Judges every address of a name; what it returns is connected to, and the name is not looked up again."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for place in found:
            if refused(place["host"]):
                raise OSError(errno.EACCES, f"{host} is {place['host']}, which is no cluster's address")
        return found

    async def close(self) -> None:
        await self._resolver.close()


async def _refuse_redirect(session: object, context: object, told: aiohttp.TraceRequestRedirectParams) -> None:
    """A cluster's API never sends us elsewhere; who does wants requests of our machine."""
    raise aiohttp.ClientError(f"it answers with another address, HTTP {told.response.status}")


def _no_redirects() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    return trace


def _rest(access: Access) -> Any:
    """The library's connections. Keys are in files for as long as it takes to load them."""
    settings: dict[str, Any] = {
        "trace_configs": [_no_redirects()],
        "host": access.server,
        "tls_server_name": access.server_name,
        "connection_pool_maxsize": 0,  # terminals count too: with the library's bound of 100 the next would hang
        "client_session_kwargs": {"trust_env": False},  # no proxy and no .netrc that nobody named
    }
    if access.authority is not None:
        settings["ca_cert_data"] = access.authority.decode("ascii", "replace")
    if access.certificate is None or access.key is None:
        return _Connections(Configuration(**settings))
    with tempfile.TemporaryDirectory(prefix="sac-") as folder:  # 0700
        paths = [
            _secret_file(Path(folder) / name, data) for name, data in (("c", access.certificate), ("k", access.key))
        ]
        return _Connections(Configuration(**settings, cert_file=paths[0], key_file=paths[1]))


def _secret_file(path: Path, data: bytes) -> str:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    return str(path)
