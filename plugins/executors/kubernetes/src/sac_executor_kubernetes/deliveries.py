"""Bringing the files of secrets to a pod that starts; until they are there nobody is let in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from sac_core.errors import LostError, NotReadyError, SacError
from sac_core.models.body import Key
from sac_executor_kubernetes.hints import Hints
from sac_executor_kubernetes.inner import Inner
from sac_executor_kubernetes.mirror import Mirror
from sac_executor_kubernetes.naming import HASH_LABEL
from sac_executor_kubernetes.pods import Pod, read_life
from sac_executor_kubernetes.seeing import Workload
from sac_executor_kubernetes.workloads import Workloads

_LONGEST = 900.0


@dataclass(slots=True)
class _Delivery:
    life: str
    hash: str
    files: Mapping[str, bytes] = field(repr=False)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Deliveries:
    """Knows what is under way here; what a restart loses is begun again by the next `ensure`."""

    def __init__(self, workloads: Workloads, mirror: Mirror, inner: Inner, hints: Hints, tasks: TaskGroup) -> None:
        self._workloads, self._mirror, self._inner = workloads, mirror, inner
        self._hints, self._tasks = hints, tasks
        self._under_way: dict[str, _Delivery] = {}

    def under_way(self, key: Key) -> bool:
        """Whether somebody here waits for the body's pod, or brings it its files."""
        return key.uid in self._under_way

    def begin(self, workload: Workload, files: Mapping[str, bytes]) -> None:
        """Bring the files once the pod runs; returns at once. The same again changes nothing."""
        before = self._under_way.get(workload.key.uid)
        if before is not None and (before.life, before.hash, before.files) == (workload.life, workload.hash, files):
            return
        self.abandon(workload.key)
        delivery = self._under_way[workload.key.uid] = _Delivery(workload.life, workload.hash, files)
        self._tasks.start_soon(self._deliver, workload, delivery, name=f"deliver {workload.key.uid}")

    def abandon(self, key: Key) -> None:
        """Something else is wanted of the body by now."""
        delivery = self._under_way.pop(key.uid, None)
        if delivery is not None:
            delivery.scope.cancel()

    async def _deliver(self, workload: Workload, delivery: _Delivery) -> None:
        key = workload.key
        try:
            with delivery.scope, anyio.move_on_after(_LONGEST):
                await self._wait_and_deliver(workload, delivery)
        except SacError:  # seen as a body that is not ready: the next call begins again
            pass
        finally:
            if self._under_way.get(key.uid) is delivery:
                del self._under_way[key.uid]
            self._hints.finished(key)

    async def _wait_and_deliver(self, workload: Workload, delivery: _Delivery) -> None:
        async with aclosing(self._mirror.pods_of(workload.key)) as following:
            async for pods in following:
                for pod in pods:
                    if (
                        pod.runs
                        and not pod.leaving
                        and _is_it(pod, workload)
                        and await self._delivered(pod, workload, delivery)
                    ):
                        await self._let_in(pod, workload)
                        return

    async def _let_in(self, pod: Pod, workload: Workload) -> None:
        """Its files are there. An old look is no harm: the write is refused when something else was decided."""
        now = self._mirror.workload(workload.key) if self._mirror.fresh else None
        if now is None:
            now, _ = await self._workloads.of(workload.key)
        if now is not None and (now.state, now.hash) == ("new", workload.hash):
            await self._workloads.mark(now, now.generation, "up", life=pod.life)

    async def _delivered(self, pod: Pod, workload: Workload, delivery: _Delivery) -> bool:
        try:
            await self._inner.deliver(pod, workload.python, delivery.files)
        except (NotReadyError, LostError):  # it ended meanwhile; the cluster tells of the next
            return False
        return True


def _is_it(pod: Pod, workload: Workload) -> bool:
    """Whether a pod is in the life that is the body."""
    if pod.labels.get(HASH_LABEL) != workload.hash:
        return False
    return workload.life in ("", pod.life) if workload.life else read_life(pod.life)[1] == 0
