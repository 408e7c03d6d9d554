"""Changes over ``sac.events.v1``, for ever: a lost socket is opened again after the last version told."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import anyio

from sac_core.client.connection import Connection
from sac_core.client.kinds import model_of
from sac_core.client.sockets import open_socket, refused
from sac_core.errors import ExpiredError, InvalidError, LostError, SacError, UnavailableError
from sac_core.models.base import parse
from sac_core.models.change import Change, Synced
from sac_core.wire.events import SUBPROTOCOL, Subscribe

PATIENCE = 120.0
"""Seconds without a server after which a watch gives up."""
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

Event = Change[Any] | Synced


async def watch(
    connection: Connection, *, kinds: Sequence[str], label_selector: str, since: int | None
) -> AsyncGenerator[Any]:
    """Changes as they are committed, what is there first unless ``since`` is given; survives restarts of the server.

    Raises `ExpiredError` when ``since`` is too old, `LostError` when the connection breaks before `Synced` was told,
    `UnavailableError` when no server answers at first, or for two minutes later.
    """
    position = _Position(since)
    while True:
        subscribe = Subscribe(kinds=tuple(kinds), label_selector=label_selector, since=position.text)
        try:
            async with aclosing(_once(connection, subscribe)) as events:
                async for event in events:
                    if position.advance(event):
                        yield event
        except (LostError, UnavailableError) as error:
            await anyio.sleep(position.pause(error))


async def _once(connection: Connection, subscribe: Subscribe) -> AsyncGenerator[Event]:
    async with open_socket(connection, "/events", SUBPROTOCOL) as socket:
        await socket.send(json.dumps({"type": "subscribe", **subscribe.to_wire()}))
        async for message in socket:
            yield _event(message)
    raise LostError("the server ended the stream of changes", hint="watch again")


def _event(message: str | bytes) -> Event:
    data = json.loads(message)
    match data.get("type"):
        case "ADDED" | "MODIFIED" | "DELETED" as verb:
            kind = data["object"].get("kind", "")
            return Change(verb, int(data["version"]), parse(model_of(kind), data["object"], field=kind.lower()))
        case "synced":
            return Synced(int(data["version"]))
        case "error" if data.get("reason") == "Expired":
            raise ExpiredError(data.get("message") or "the version is too old", hint="watch again without `since`")
        case "error":
            raise refused(data)
    raise InvalidError("the server sent an event that this client does not know", field="type")


class _Position:
    """How far a watch has got, and how long it has been without a server."""

    def __init__(self, since: int | None) -> None:
        self._version = since
        self._snapshot = since is None
        self._synced = False
        self._told = False
        self._lost_at: float | None = None
        self._pause = SHORTEST_PAUSE

    @property
    def text(self) -> str | None:
        """The version to go on after, as the wire has it."""
        return None if self._version is None else str(self._version)

    def advance(self, event: Event) -> bool:
        """Take note of an event; False when it is one that was told already (`Synced`, after a reconnect)."""
        self._told, self._lost_at, self._pause = True, None, SHORTEST_PAUSE
        if isinstance(event, Synced):
            first, self._synced, self._snapshot = not self._synced, True, False
            self._version = event.version
            return first
        if not self._snapshot:  # the things of the snapshot come in no order of versions
            self._version = event.version
        return True

    def pause(self, error: SacError) -> float:
        """Seconds to wait before trying again; raises ``error`` when that would be wrong or useless."""
        now = time.monotonic()
        self._lost_at = self._lost_at if self._lost_at is not None else now
        if not self._told or self._snapshot or now - self._lost_at > PATIENCE:
            raise error
        seconds = self._pause * random.uniform(0.5, 1.5)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return seconds
