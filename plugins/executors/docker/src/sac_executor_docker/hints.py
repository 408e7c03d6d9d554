"""Which bodies to look at: what the engine tells of, and what was finished here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from sac_core.contracts.executor import RESYNC, Resync
from sac_core.models.body import OWNER_LABEL, Key
from sac_executor_docker.streams import Streams

_EVENTS = ["create", "start", "die", "oom", "destroy", "rename", "pause", "unpause"]
_WAITING = 1000
"""Hints that wait for who listens; what is finished here beyond that is found by the next comparison."""

Hint = Key | Resync


class Hints:
    """Hints for all who listen."""

    def __init__(self, streams: Streams, owner: str, tasks: TaskGroup) -> None:
        self._streams, self._owner, self._tasks = streams, owner, tasks
        self._listeners: set[MemoryObjectSendStream[Hint | Exception]] = set()

    def finished(self, key: Key) -> None:
        """The work on a body is done: the engine told of its events before that."""
        for listener in self._listeners:
            if listener.statistics().current_buffer_used < _WAITING:
                listener.send_nowait(key)

    async def listen(self) -> AsyncGenerator[Hint]:
        """From now on, until the engine ends it; fails as the engine's events do."""
        send, receive = anyio.create_memory_object_stream[Hint | Exception](_WAITING)
        scope = anyio.CancelScope()
        self._listeners.add(send)
        self._tasks.start_soon(self._follow, send, scope)
        try:
            async for hint in receive:
                if isinstance(hint, Exception):
                    raise hint
                yield hint
        finally:
            self._listeners.discard(send)
            scope.cancel()
            receive.close()

    async def _follow(self, send: MemoryObjectSendStream[Hint | Exception], scope: anyio.CancelScope) -> None:
        """Pass on what the engine tells, and how that ended."""
        filters = {"type": ["container"], "label": [f"{OWNER_LABEL}={self._owner}"], "event": _EVENTS}
        with scope, send, suppress(anyio.BrokenResourceError):
            try:
                async for event in self._streams.events(filters):
                    about = event.get("Actor", {}).get("Attributes", {})
                    if not event:
                        await send.send(RESYNC)
                    elif "sac/uid" in about:
                        await send.send(Key(about.get("sac/tenant", ""), about.get("sac/agent", ""), about["sac/uid"]))
            except Exception as error:  # for whoever listens
                await send.send(error)
            finally:
                self._listeners.discard(send)
