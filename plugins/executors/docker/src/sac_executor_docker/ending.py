"""Ending a container: asked first, killed after the grace; the decision is in its name before anything is done."""

from __future__ import annotations

import anyio
from anyio.abc import TaskGroup

from sac_core.errors import SacError
from sac_core.models.body import Key
from sac_executor_docker.containers import Containers
from sac_executor_docker.engine import Engine
from sac_executor_docker.naming import State
from sac_executor_docker.seeing import Container
from sac_executor_docker.troubles import Refusal


class Ending:
    """Knows which containers were asked to end, and until when; a restart asks again."""

    def __init__(self, engine: Engine, containers: Containers, tasks: TaskGroup) -> None:
        self._engine, self._containers, self._tasks = engine, containers, tasks
        self._due: dict[str, float] = {}

    async def end(self, container: Container, key: Key, generation: int, state: State, grace: float) -> None:
        """Mark it and let it end; returns at once. A shorter grace than before holds from now on."""
        await self._containers.mark(container, key, generation, state)
        if not container.alive:
            return
        if container.status == "paused":
            await self._tried("unpause", container.id)
        due = anyio.current_time() + grace
        asked = container.id in self._due
        if asked and self._due[container.id] <= due:
            return
        self._due[container.id] = due
        self._tasks.start_soon(
            self._kill, container.id, due, name=f"end {key.uid}"
        )  # first: this call may be cancelled
        await self._tried("kill", container.id, "SIGTERM" if grace > 0 else "SIGKILL")

    def forget(self, container_id: str) -> None:
        """It is to run again: whoever waits for its time to be up shall leave it alone."""
        self._due.pop(container_id, None)

    async def _kill(self, container_id: str, due: float) -> None:
        """Kill it when its time is up, unless another time holds by then."""
        await anyio.sleep_until(due)
        if self._due.get(container_id) != due:
            return
        del self._due[container_id]  # whoever asks again, asks anew
        try:
            await self._tried("kill", container_id, "SIGKILL")
        except SacError:  # the engine is away: the next call that wants it ended asks again
            return

    async def _tried(self, method: str, container_id: str, *arguments: str) -> None:
        """A call that a container may have ended before."""
        try:
            await self._engine.call(method, container_id, *arguments)
        except Refusal as refusal:
            if refusal.status not in (404, 409):
                raise
