"""Which bodies to look at: what the cluster tells of Deployments and pods, and what was finished here."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio

from sac_core.contracts.executor import RESYNC
from sac_core.models.body import Key
from sac_executor_kubernetes.mirror import Hint, Mirror


class Hints:
    """Hints for all who listen."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._listeners: set[_Waiting] = set()

    def finished(self, key: Key) -> None:
        """Something was done about a body."""
        for listener in self._listeners:
            listener.put(key)

    async def listen(self) -> AsyncGenerator[Hint]:
        """From now on, for ever: what was missed before, and while the cluster was away, is told as `RESYNC`."""
        waiting = _Waiting()
        self._listeners.add(waiting)
        unlisten = self._mirror.listen(waiting.put)
        self._mirror.begin()
        waiting.put(RESYNC)
        try:
            while True:
                yield await waiting.take()
        finally:
            unlisten()
            self._listeners.discard(waiting)


class _Waiting:
    """Hints that wait for who listens, each once."""

    def __init__(self) -> None:
        self._hints: dict[Hint, None] = {}
        self._some = anyio.Event()

    def put(self, hint: Hint) -> None:
        self._hints[hint] = None
        self._some.set()

    async def take(self) -> Hint:
        while not self._hints:
            self._some = anyio.Event()
            await self._some.wait()
        hint = next(iter(self._hints))
        del self._hints[hint]
        return hint
