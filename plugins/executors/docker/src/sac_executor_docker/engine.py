"""Calls of the engine: the docker SDK in a few threads, each call with its deadline, each failure one of ours.

The SDK's streams (`exec_start`, `attach`) are not used: they lose what arrives with the headers. See `streams`.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import docker
import docker.auth
import docker.errors
import docker.tls
import docker.utils
from anyio import CapacityLimiter, to_thread
from docker.utils import parse_host

from sac_core.errors import ConfigurationError
from sac_executor_docker.address import Address
from sac_executor_docker.troubles import EngineAbsent, Refusal

T = TypeVar("T")
Json = dict[str, Any]

THREADS = 8
_OLDEST = "1.41"
DEFAULT_HOST = "unix:///var/run/docker.sock"


def find_address(host: str | None, tls: Path | None) -> Address:
    """Where the engine is: as set, else as DOCKER_HOST and its kin say, else at the usual place."""
    host = host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
    folder = tls
    if folder is None and os.environ.get("DOCKER_TLS_VERIFY"):
        folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    try:
        url = str(parse_host(host, tls=folder is not None))
    except docker.errors.DockerException as error:
        raise ConfigurationError(f"{host!r} is no engine: {error}", hint="set plugins.docker.host") from None
    if url.startswith("http+unix://"):
        return Address(host, socket=url.removeprefix("http+unix://"))
    return Address(host, tls=folder)


class Engine:
    """One engine. Connects at the first call, so that an engine that is not there is told by that call."""

    def __init__(self, address: Address, timeout: float) -> None:
        self.address = address
        self._timeout = timeout
        self._client: docker.APIClient | None = None
        self._connecting = threading.Lock()
        self._threads = CapacityLimiter(THREADS)

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """A method of the SDK's low-level client. Raises `Refusal` or `EngineAbsent`; completes when cancelled."""
        return await self._run(lambda client: getattr(client, method)(*arguments, **named))

    async def make_container(self, name: str, config: Mapping[str, Any]) -> str:
        """Create a container of exactly this configuration; its id."""
        made = await self._run(lambda client: client.create_container_from_config(dict(config), name))
        return str(made["Id"])

    async def make_network(self, config: Mapping[str, Any]) -> None:
        """Create a network; there already is fine."""
        try:
            await self.call("create_network", **config)
        except Refusal as refusal:
            if refusal.status != 409:
                raise

    async def found(self, method: str, *arguments: Any, **named: Any) -> Any:
        """As `call`; None when the engine knows no such thing."""
        try:
            return await self.call(method, *arguments, **named)
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise

    async def login(self, image: str) -> str | None:
        """The header with the user's login at an image's registry, if there is one."""
        registry, _ = docker.auth.resolve_repository_name(image)
        return await self._run(lambda client: docker.auth.get_config_header(client, registry))

    def close(self) -> None:
        """Close its connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _run(self, work: Callable[[docker.APIClient], T]) -> T:
        return await to_thread.run_sync(self._translated, work, limiter=self._threads)

    def _translated(self, work: Callable[[docker.APIClient], T]) -> T:
        try:
            return work(self._connected())
        except docker.errors.APIError as error:
            raise Refusal(error.status_code or 500, str(error.explanation or error)) from None
        except (docker.errors.DockerException, OSError) as error:  # requests' errors are OSErrors
            self.close()  # the next call begins anew, with a look at the socket
            raise EngineAbsent.of(self.address, error) from None

    def _connected(self) -> docker.APIClient:
        """A client that speaks the engine's own version, which is asked for first."""
        with self._connecting:
            client = self._client
            if client is None:
                client = self._client = self._made(self._version())
            return client

    def _version(self) -> str:
        self._knock()
        first = self._made(_OLDEST)
        try:
            return str(first.version(api_version=False)["ApiVersion"])
        finally:
            first.close()

    def _knock(self) -> None:
        """Raises OSError when nobody listens; the SDK would leave its socket open."""
        if self.address.socket is not None:
            with socket.socket(socket.AF_UNIX) as knock:
                knock.settimeout(self._timeout)
                knock.connect(self.address.socket)

    def _made(self, version: str) -> docker.APIClient:
        """Without what the environment says of certificates: REQUESTS_CA_BUNDLE would replace our own."""
        client = docker.APIClient(self.address.host, version=version, timeout=self._timeout, tls=self._tls())
        client.trust_env = False
        return client

    def _tls(self) -> docker.tls.TLSConfig | bool:
        folder = self.address.tls
        if folder is None:
            return False
        client = (str(folder / "cert.pem"), str(folder / "key.pem"))
        return docker.tls.TLSConfig(client_cert=client, ca_cert=str(folder / "ca.pem"), verify=True)
