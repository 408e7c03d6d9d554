"""Which bodies to look at: what the cluster tells of Deployments and pods, and what was finished here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from sac_core.contracts.executor import RESYNC, Resync
from sac_core.models.body import Key
from sac_executor_kubernetes.cluster import Cluster
from sac_executor_kubernetes.naming import ours, read_key
from sac_executor_kubernetes.reflector import Listed, Reflector

Hint = Key | Resync
_WAITING = 1000
"""Hints that wait for who listens; what is finished here beyond that is found by the next comparison."""


class Hints:
    """Hints for all who listen."""

    def __init__(self, cluster: Cluster, owner: str, tasks: TaskGroup) -> None:
        self._cluster, self._owner, self._tasks = cluster, owner, tasks
        self._listeners: set[MemoryObjectSendStream[Hint]] = set()

    def finished(self, key: Key) -> None:
        """Something was done about a body."""
        for listener in self._listeners:
            if listener.statistics().current_buffer_used < _WAITING:
                listener.send_nowait(key)

    async def listen(self) -> AsyncGenerator[Hint]:
        """From now on, for ever: what is missed while the cluster is away is told as `RESYNC`."""
        send, receive = anyio.create_memory_object_stream[Hint](_WAITING)
        scope = anyio.CancelScope()
        self._listeners.add(send)
        self._tasks.start_soon(self._follow, send, scope)
        try:
            async for hint in receive:
                yield hint
        finally:
            self._listeners.discard(send)
            scope.cancel()
            receive.close()

    async def _follow(self, send: MemoryObjectSendStream[Hint], scope: anyio.CancelScope) -> None:
        with scope, send:
            async with anyio.create_task_group() as tasks:
                for resource in ("deployments", "pods"):
                    tasks.start_soon(self._tell, resource, send)

    async def _tell(self, resource: str, send: MemoryObjectSendStream[Hint]) -> None:
        reflector = Reflector(self._cluster, resource, ours(self._owner, "sac/uid"))
        async with aclosing(reflector.changes()) as changes:
            async for change in changes:
                try:
                    await send.send(RESYNC if isinstance(change, Listed) else _key(change.item))
                except anyio.BrokenResourceError:
                    return


def _key(item: object) -> Key:
    assert isinstance(item, dict)
    return read_key(item["metadata"].get("labels") or {})
