"""The Kubernetes executor: every call looks at what the cluster has, does what can be done now, says what is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from weakref import WeakValueDictionary

import anyio
from anyio.abc import ByteStream, TaskGroup

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor, Resync
from sac_core.errors import ConflictError, LostError, NotReadyError
from sac_core.models.body import Key, Observed, Probe
from sac_core.models.launch import Launch, Secrets
from sac_executor_kubernetes.cluster import Cluster
from sac_executor_kubernetes.deliveries import Deliveries
from sac_executor_kubernetes.ending import Ending
from sac_executor_kubernetes.hints import Hints
from sac_executor_kubernetes.holder_files import HolderFiles
from sac_executor_kubernetes.inner import Inner
from sac_executor_kubernetes.looks import Looks
from sac_executor_kubernetes.mirror import Mirror
from sac_executor_kubernetes.naming import State
from sac_executor_kubernetes.pods import Pod
from sac_executor_kubernetes.probing import Prober
from sac_executor_kubernetes.refusals import check_launch
from sac_executor_kubernetes.rendering import Plan
from sac_executor_kubernetes.seeing import Workload, ghost, observed
from sac_executor_kubernetes.settings import KubernetesOptions, KubernetesSettings
from sac_executor_kubernetes.workloads import Workloads

_REPLACE_GRACE = 5.0
_WAITED_FOR = ("running", "pending", "unknown")
"""Phases of which nothing follows but to wait, or to enter the body: an old look at them is no harm."""


class KubernetesExecutor(Executor):
    """Bodies as Deployments of one namespace. Made by `open_kubernetes`."""

    def __init__(
        self, settings: KubernetesSettings, context: PluginContext, cluster: Cluster, tasks: TaskGroup
    ) -> None:
        self._settings, self._context = settings, context
        self._prober = Prober(cluster, context.now)
        self._mirror = Mirror(cluster, context.owner, tasks)
        self._workloads = Workloads(cluster, context.owner, self._mirror)
        self._holder_files = HolderFiles(cluster)
        self._inner = Inner(cluster)
        self._hints = Hints(self._mirror)
        self._ending = Ending(self._workloads, self._mirror, tasks, settings.grace)
        self._deliveries = Deliveries(self._workloads, self._mirror, self._inner, self._hints, tasks)
        self._locks: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()
        self._looks = Looks(self._workloads, self._mirror)

    async def probe(self) -> Probe:
        return await self._prober.probe()

    async def observe(self, key: Key) -> Observed:
        mirrored = self._looks.at_rest(key)
        if mirrored is not None:
            seen = self._see(key, mirrored, [])
            if seen.phase in _WAITED_FOR:
                return seen
        return self._see(key, *await self._looks.closely(key))

    async def bodies(self) -> AsyncIterator[Observed]:
        workloads, strays = await self._looks.at_all()
        for workload in workloads:
            yield self._see(workload.key, workload, [])
        for key, pods in strays.items():
            if any(not pod.over for pod in pods):
                yield ghost(key, self._context.now())

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        options = check_launch(launch, self._settings)
        async with self._lock(key):
            workload, pods = await self._looks.before_making(key)
            if workload is None and any(not pod.over for pod in pods):
                return ghost(key, self._context.now())
            if workload is not None:
                _check_generation(workload.generation, launch.generation)
                if workload.wanted and workload.hash == launch.hash:
                    return await self._keep(workload, launch, secrets)
            return await self._bring(key, workload, launch, options, secrets)

    async def stop(self, key: Key, *, generation: int, grace: float) -> Observed:
        async with self._lock(key):
            ending = self._under_way(key, generation, "stopped", grace)
            if ending is not None:
                return ending
            workload, pods = await self._found(key, generation)
            if workload is not None and workload.state != "deleting":
                workload = await self._end(workload, generation, "stopped", grace)
            return self._see(key, workload, pods)

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        async with self._lock(key):
            ending = self._under_way(key, generation, "deleting", grace)
            if ending is not None:
                return ending
            workload, pods = await self._found(key, generation)
            if workload is not None:
                workload = await self._end(workload, generation, "deleting", grace)
                if not workload.quiet:
                    return self._see(key, workload, pods)
            if purge:  # first: while its Deployment is there, a server that dies here is found out
                await self._workloads.purge(key)
            kept = [] if purge else await self._workloads.volumes(key)
            if workload is not None:
                await self._workloads.remove(workload)
            self._mirror.forget(key)
            return _keeping(self._see(key, None, pods), kept)

    async def open_holder(self, key: Key) -> ByteStream | None:
        async with self._lock(key):
            workload = await self._entered(key)
        return await self._inner.relay(workload.alive[0], workload.python)

    async def watch(self) -> AsyncIterator[Key | Resync]:
        async with aclosing(self._hints.listen()) as hints:
            async for hint in hints:
                yield hint

    # what is there

    def _lock(self, key: Key) -> anyio.Lock:
        return self._locks.setdefault(key.uid, anyio.Lock())

    def _see(self, key: Key, workload: Workload | None, pods: list[Pod]) -> Observed:
        now = self._context.now()
        if workload is not None:
            return observed(workload, now, delivering=self._deliveries.under_way(key))
        if any(not pod.over for pod in pods):
            return ghost(key, now)
        return Observed(key=key, phase="absent", observed_at=now)

    def _under_way(self, key: Key, generation: int, state: State, grace: float) -> Observed | None:
        """An end that was asked for and has not come yet, as far as we know: no reason to ask the cluster again."""
        workload = self._looks.at_rest(key)
        if workload is None or (workload.state, workload.generation) != (state, generation) or workload.quiet:
            return None
        self._ending.hurry(key, grace)
        return self._see(key, workload, [])

    async def _found(self, key: Key, generation: int) -> tuple[Workload | None, list[Pod]]:
        """What is there to end, which nobody of an older generation may."""
        workload, pods = await self._workloads.of(key)
        if workload is not None:
            _check_generation(workload.generation, generation)
        return workload, pods

    async def _entered(self, key: Key) -> Workload:
        """A body that runs. From now on it is this pod: another that the cluster makes is another body."""
        workload = self._looks.at_rest(key)
        if workload is None or self._see(key, workload, []).phase != "running":
            workload, _ = await self._workloads.of(key)
        if workload is None or not workload.wanted:
            raise LostError("the body has no pod")
        seen = self._see(key, workload, [])
        if seen.phase == "failed":
            raise LostError(seen.message)
        if seen.phase != "running":
            raise NotReadyError(seen.message or "the pod is being started, or ends")
        if workload.life:
            return workload
        try:
            return await self._workloads.mark(
                workload, workload.generation, workload.state, life=workload.alive[0].life
            )
        except ConflictError:  # another server enters it in the same moment
            raise NotReadyError("the pod is entered by somebody else just now") from None

    # starting

    async def _bring(
        self, key: Key, workload: Workload | None, launch: Launch, options: KubernetesOptions, secrets: Secrets
    ) -> Observed:
        """Take the step that there is to take towards another body."""
        if workload is not None and not workload.quiet:
            state: State = workload.state if workload.state in ("stopped", "deleting") else "ending"
            workload = await self._end(workload, launch.generation, state, _REPLACE_GRACE)
            if not workload.quiet:
                return self._see(key, workload, [])
        await self._holder_files.have()
        plan = Plan(key, self._context.owner, launch, options, self._holder_files.name, self._settings)
        state = "new" if secrets.files else "up"
        if workload is None:
            workload = await self._workloads.make(plan, state)
        else:
            workload = await self._workloads.run(workload, plan, state)
        if secrets.files:
            self._deliveries.begin(workload, secrets.files)
        return self._see(key, workload, [])

    async def _keep(self, workload: Workload, launch: Launch, secrets: Secrets) -> Observed:
        """A body of this hash, which may have to be let in again after it ended."""
        seen, state, life = self._see(workload.key, workload, []), workload.state, workload.life
        if seen.phase == "failed" and seen.reason in ("Lost", "Evicted", "OutOfMemory", "CrashLoop"):
            state, life = "new" if secrets.files else "up", _life_to_come(workload)
        workload = await self._workloads.mark(
            workload, launch.generation, state, life=life, labels=launch.binding.labels
        )
        seen = self._see(workload.key, workload, [])
        if state == "new":
            self._deliveries.begin(workload, secrets.files)
        elif seen.phase == "running":
            await self._inner.deliver(workload.alive[0], workload.python, secrets.files)
        return self._see(workload.key, workload, [])

    async def _end(self, workload: Workload, generation: int, state: State, grace: float) -> Workload:
        """Mark it and let it end; returns at once."""
        self._deliveries.abandon(workload.key)
        for pod in workload.pods:
            self._inner.forget(pod.uid)
        workload = await self._workloads.mark(workload, generation, state, life=workload.life)
        if not workload.quiet:
            self._ending.hurry(workload.key, grace)
        return workload


def _keeping(seen: Observed, volumes: list[str]) -> Observed:
    """What is seen of a body that was deleted without its volumes, which stay under these names."""
    if seen.phase != "absent" or not volumes:
        return seen
    return seen.model_copy(update={"kept": "disk", "message": f"its volumes are kept: {', '.join(volumes)}"})


def _life_to_come(workload: Workload) -> str:
    """The start of a container that shall be the body: that of its one pod, else the first of the pod to come."""
    pods = [pod for pod in workload.alive if not pod.leaving]
    return pods[0].next_life if len(pods) == 1 else ""


def _check_generation(current: int, asked: int) -> None:
    if asked < current:
        raise ConflictError(f"generation {asked} is older than the body's, {current}", reason="OlderGeneration")
