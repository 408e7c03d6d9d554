"""How closely a body is looked at: at rest as the mirror has it, and read from the cluster where something follows."""

from __future__ import annotations

import time

from sac_core.models.body import Key
from sac_executor_kubernetes.mirror import Mirror
from sac_executor_kubernetes.pods import Pod
from sac_executor_kubernetes.seeing import Workload
from sac_executor_kubernetes.workloads import Workloads

_JUST_NOW = 5.0
"""Seconds for which one that was found absent is taken to be."""

Found = tuple[Workload | None, list[Pod]]
"""The Deployment of a body, and its pods, which may outlive it for a while."""


class Looks:
    """Decides whom to ask."""

    def __init__(self, workloads: Workloads, mirror: Mirror) -> None:
        self._workloads, self._mirror = workloads, mirror
        self._absent: dict[str, float] = {}

    def at_rest(self, key: Key) -> Workload | None:
        """A body that is there as far as we know; None also when we may not know."""
        return self._mirror.workload(key) if self._mirror.fresh else None

    async def at_all(self) -> tuple[list[Workload], dict[Key, list[Pod]]]:
        """Every body, and by key the pods of those that are gone."""
        return self._mirror.all() if self._mirror.fresh else await self._workloads.all()

    async def closely(self, key: Key) -> Found:
        """What there is now. Of one that we have never heard of, that it has no Deployment is enough."""
        self._absent.pop(key.uid, None)
        if self._mirror.fresh and not self._mirror.met(key) and await self._workloads.absent(key):
            now = time.monotonic()
            self._absent = {uid: at for uid, at in self._absent.items() if now - at < _JUST_NOW} | {key.uid: now}
            return None, []
        return await self._workloads.of(key)

    async def before_making(self, key: Key) -> Found:
        """What there is of a body that is wanted. The cluster refuses a second Deployment, so one look is enough."""
        looked = self._absent.pop(key.uid, None)
        recently = looked is not None and time.monotonic() - looked < _JUST_NOW
        if recently and self._mirror.fresh and not self._mirror.met(key):
            return None, []
        return await self._workloads.of(key)
