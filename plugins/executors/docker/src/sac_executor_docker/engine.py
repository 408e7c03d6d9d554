"""Calls of the engine: the docker SDK in a few threads, each call with its deadline, each failure one of ours."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from sac_executor_docker.address import Address
from sac_executor_docker.troubles import EngineAbsent, Refusal

T = TypeVar("T")

THREADS, SLOW = 12, 8
"""How many calls at once; and of those that take long, so that others need not wait for them."""
_ABOUT_SECONDS = 60.0
_SLOW = ("start", "put_archive", "create_container_from_config", "wait")


class Engine:
    """One engine. Connects at the first call, so that an engine that is not there is told by that call."""

    def __init__(self, address: Address, timeout: float) -> None:
        self.address = address
        self._timeout = timeout
        self._client: Any = None
        self._about: tuple[float, dict[str, Any]] | None = None
        self._connecting = threading.Lock()
        self._threads, self._slow = CapacityLimiter(THREADS), CapacityLimiter(SLOW)

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """A method of the SDK's low-level client. Raises `Refusal` or `EngineAbsent`; completes when cancelled."""
        if method in _SLOW:
            async with self._slow:
                return await self._run(lambda client: getattr(client, method)(*arguments, **named))
        return await self._run(lambda client: getattr(client, method)(*arguments, **named))

    async def about(self) -> dict[str, Any]:
        """What it tells of itself, at most a minute old: asking takes longer than most that depends on it."""
        kept = self._about
        if kept is None or time.monotonic() - kept[0] > _ABOUT_SECONDS:
            kept = self._about = (time.monotonic(), await self.call("info"))
        return kept[1]

    async def make_container(self, name: str, config: Mapping[str, Any]) -> str:
        """Create a container of exactly this configuration; its id."""
        return str((await self.call("create_container_from_config", dict(config), name))["Id"])

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

        def asked(client: Any) -> str | None:
            from sac_executor_docker import sdk

            return sdk.login(client, image)

        return await self._run(asked)

    def close(self) -> None:
        """Close its connections."""
        client, self._client, self._about = self._client, None, None
        if client is not None:
            client.close()

    async def _run(self, work: Callable[[Any], T]) -> T:
        return await to_thread.run_sync(self._translated, work, limiter=self._threads)

    def _translated(self, work: Callable[[Any], T]) -> T:
        self._knock()
        from sac_executor_docker import sdk

        try:
            with sdk.translated(self.address):
                return work(self._connected(sdk.connect))
        except EngineAbsent:
            self.close()  # the next call begins anew, with a look at the socket
            raise

    def _connected(self, connect: Callable[[Address, float], Any]) -> Any:
        with self._connecting:
            client = self._client
            if client is None:
                client = self._client = connect(self.address, self._timeout)
            return client

    def _knock(self) -> None:
        """Raises `EngineAbsent` when nobody listens (any more): the SDK would leave its socket open then."""
        if self.address.socket is None:
            return
        try:
            with socket.socket(socket.AF_UNIX) as knock:
                knock.settimeout(self._timeout)
                knock.connect(self.address.socket)
        except OSError as error:
            raise EngineAbsent.of(self.address, error) from None
