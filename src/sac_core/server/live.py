"""The open sockets and streams: ended when their sign-in ends and when the server stops."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio

from sac_core.errors import SacError
from sac_core.server.identity import Identity
from sac_core.wire import close

log = logging.getLogger("sac.server")


class Connection:
    """One open socket or stream. `end` cancels what serves it; ``code`` then says why."""

    __slots__ = ("code", "identity", "scope")

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.scope = anyio.CancelScope()
        self.code: int | None = None

    def end(self, code: int) -> None:
        """End it with a close code; the first one counts."""
        if self.code is None:
            self.code = code
            self.scope.cancel()


class Live:
    """All open connections of one app, and one sweep for them that runs while there are any.

    ``interval`` in seconds, with 10 % jitter: the longest that a connection outlives its sign-in.
    """

    def __init__(self, holds: Callable[[Identity], Awaitable[bool]], *, interval: float = 3.0) -> None:
        self._holds = holds
        self._interval = interval
        self._connections: set[Connection] = set()
        self._sweep: asyncio.Task[None] | None = None
        self._stopping = False

    def __len__(self) -> int:
        return len(self._connections)

    @contextmanager
    def joined(self, identity: Identity) -> Iterator[Connection]:
        """A connection for as long as the context lasts; one that comes while the server stops is ended at once."""
        connection = Connection(identity)
        self._connections.add(connection)
        if self._stopping:
            connection.end(close.RESTART)
        if self._sweep is None:
            self._sweep = asyncio.create_task(self._keep_sweeping())
        try:
            yield connection
        finally:
            self._leave(connection)

    def _leave(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections and self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def end_sign_in(self, cookie: str) -> None:
        """End what a sign-in opened."""
        for connection in list(self._connections):
            if connection.identity.cookie == cookie:
                connection.end(close.UNAUTHENTICATED)

    def stop(self) -> None:
        """End all, now and from now on: the server stops, clients come back with their offset."""
        self._stopping = True
        for connection in list(self._connections):
            connection.end(close.RESTART)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(self._interval * random.uniform(0.9, 1.1))
            try:
                await self._sweep_once()
            except SacError as error:  # the store does not answer: nobody is thrown out for that
                log.warning("could not check who is still signed in: %s", error)

    async def _sweep_once(self) -> None:
        by_identity: dict[object, list[Connection]] = defaultdict(list)
        for connection in self._connections:
            identity = connection.identity
            by_identity[identity.cookie or identity.port_cookie or identity.credentials].append(connection)
        for members in by_identity.values():
            if not await self._holds(members[0].identity):
                for connection in members:
                    connection.end(close.UNAUTHENTICATED)
