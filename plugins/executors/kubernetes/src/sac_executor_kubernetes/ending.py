"""Ending pods sooner than their own grace says; whether they end was decided before, in the Deployment."""

from __future__ import annotations

import math
from contextlib import aclosing

import anyio
from anyio.abc import TaskGroup

from sac_core.errors import SacError
from sac_core.models.body import Key
from sac_executor_kubernetes.mirror import Mirror
from sac_executor_kubernetes.workloads import Workloads

_MARGIN = 30.0


class Ending:
    """Waits until the cluster ends a pod, then says how long that may take. A restart of SAC leaves it its own grace.

    ``longest`` is the pods' own grace in seconds. They are not ended by us: while the cluster still wants one, another
    would take its place.
    """

    def __init__(self, workloads: Workloads, mirror: Mirror, tasks: TaskGroup, longest: int) -> None:
        self._workloads, self._mirror, self._tasks, self._longest = workloads, mirror, tasks, longest
        self._graces: dict[str, tuple[int, anyio.CancelScope]] = {}

    def hurry(self, key: Key, grace: float) -> None:
        """Let a body's pods end within so many seconds; returns at once. A shorter grace than before holds."""
        wanted = max(1, math.ceil(grace))  # none at all would mean to forget the pod, not to end it
        before = self._graces.get(key.uid)
        if wanted >= self._longest or (before is not None and before[0] <= wanted):
            return
        if before is not None:
            before[1].cancel()
        scope = anyio.CancelScope()
        self._graces[key.uid] = wanted, scope
        self._tasks.start_soon(self._hurry, key, wanted, scope, name=f"end {key.uid}")

    async def _hurry(self, key: Key, grace: int, scope: anyio.CancelScope) -> None:
        try:
            with scope, anyio.move_on_after(self._longest + _MARGIN):
                await self._watch(key, grace)
        except SacError:  # the next call that wants it ended asks again
            pass
        finally:
            if self._graces.get(key.uid, (0, None))[1] is scope:
                del self._graces[key.uid]

    async def _watch(self, key: Key, grace: int) -> None:
        asked: set[str] = set()
        async with aclosing(self._mirror.pods_of(key)) as following:
            async for pods in following:
                alive = [pod for pod in pods if not pod.over]
                for pod in alive:
                    if pod.leaving and pod.grace > grace and pod.uid not in asked:
                        asked.add(pod.uid)
                        await self._workloads.end_pod(pod, grace)
                if not alive:
                    return
