"""The Deployments of this installation in the namespace, with their pods, services and volumes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from sac_core.errors import ConflictError
from sac_core.models.body import OWNER_LABEL, Key
from sac_executor_kubernetes.cluster import Cluster, Object
from sac_executor_kubernetes.mirror import Mirror
from sac_executor_kubernetes.naming import State, object_name, ours, read_key
from sac_executor_kubernetes.pods import Pod, read_pod
from sac_executor_kubernetes.rendering import Plan, claim, deployment, first_deployment, marked, service
from sac_executor_kubernetes.seeing import Workload, read_workload
from sac_executor_kubernetes.troubles import Refusal, refused_launch

_TRIES = 6
"""Writes of one decision: the cluster writes into Deployments too, and each time their version is another."""

_SETTLED = 0.5
"""Seconds that are waited for the cluster to write into a Deployment that was just made: what is written after that
need not be written again."""

Write = Callable[[str], Awaitable[Object]]


class Workloads:
    """Finds, makes, marks and removes; decides nothing."""

    def __init__(self, cluster: Cluster, owner: str, mirror: Mirror) -> None:
        self._cluster, self._owner, self._mirror = cluster, owner, mirror

    async def of(self, key: Key) -> tuple[Workload | None, list[Pod]]:
        """The Deployment of a body, and its pods, which may outlive it for a while."""
        item = await self._cluster.get("deployments", object_name(key))
        found = await self._cluster.listed("pods", self._selector(key))
        self._mirror.saw_pods(key, found["items"], str(found["metadata"].get("resourceVersion")))
        pods = [read_pod(each) for each in found["items"]]
        if item is None or not self._is_ours(item):
            return None, pods
        self._mirror.saw_deployment(item)
        return read_workload(item, pods), pods

    async def absent(self, key: Key) -> bool:
        """Whether a body has no Deployment of ours."""
        item = await self._cluster.get("deployments", object_name(key))
        return item is None or not self._is_ours(item)

    async def all(self) -> tuple[list[Workload], dict[Key, list[Pod]]]:
        """Every Deployment of ours, and by key the pods of those that are gone."""
        deployments = await self._cluster.list("deployments", ours(self._owner, "sac/uid"))
        pods: dict[Key, list[Pod]] = defaultdict(list)
        for each in await self._cluster.list("pods", ours(self._owner, "sac/uid")):
            pods[read_key(each["metadata"]["labels"])].append(read_pod(each))
        found = [read_workload(each, pods.pop(read_key(each["metadata"]["labels"]), [])) for each in deployments]
        return found, pods

    async def make(self, plan: Plan, state: State) -> Workload:
        """All objects of a body that has none. The first of them alone is looked for, and the others belong to it."""
        try:
            made = await self._cluster.create("deployments", first_deployment(plan))
        except Refusal as error:
            raise refused_launch(error) from None
        self._mirror.saw_deployment(made)
        first = read_workload(made, [])
        await self._have_volume(plan)
        found = await self._have("services", service(plan, first.uid))
        return await self._run(await self._mirror.settled(first, _SETTLED), plan, state, _address(found))

    async def run(self, workload: Workload, plan: Plan, state: State) -> Workload:
        """Let a body that has no pod have one of this plan, and what that needs."""
        await self._have_volume(plan)
        found = await self._have_service(service(plan, workload.uid))
        return await self._run(workload, plan, state, _address(found))

    async def _run(self, workload: Workload, plan: Plan, state: State, address: str) -> Workload:
        return await self._written(
            workload,
            lambda version: self._cluster.apply(
                "deployments", deployment(plan, version=version, state=state, address=address)
            ),
        )

    async def mark(
        self, workload: Workload, generation: int, state: State, *, life: str, labels: Mapping[str, str] | None = None
    ) -> Workload:
        """Let it follow a generation, in a state; a pod comes or goes with that."""
        if (workload.generation, workload.state, workload.life) == (generation, state, life):
            return workload
        wanted = {**(labels or {}), "sac/generation": str(generation)}
        return await self._written(
            workload,
            lambda version: self._cluster.change(
                "deployments", workload.name, marked(workload.decided, state, wanted, life=life)
            ),
        )

    async def remove(self, workload: Workload) -> None:
        """Remove a Deployment that has no pods; what belongs to it goes with it."""
        options = {"propagationPolicy": "Background", "preconditions": {"uid": workload.uid}}
        await self._cluster.delete("deployments", workload.name, options)
        self._mirror.removed(workload)

    async def volumes(self, key: Key) -> list[str]:
        """The names of a body's volume claims, which may be there without it."""
        found = await self._cluster.list("persistentvolumeclaims", self._selector(key))
        return sorted(str(each["metadata"]["name"]) for each in found)

    async def purge(self, key: Key) -> None:
        """Remove a body's volume."""
        for name in await self.volumes(key):
            await self._cluster.delete("persistentvolumeclaims", name, {})

    async def end_pod(self, pod: Pod, grace: int) -> None:
        """Give a pod so many seconds to end."""
        options = {"gracePeriodSeconds": grace, "preconditions": {"uid": pod.uid}}
        try:
            await self._cluster.delete("pods", pod.name, options)
        except Refusal as error:
            if error.status != 409:  # another pod has its name by now
                raise

    async def _written(self, workload: Workload, write: Write) -> Workload:
        """Write what was decided about a workload, unless somebody else has decided something by now."""
        version = workload.version
        for _ in range(_TRIES):
            try:
                written = await write(version)
            except Refusal as error:
                if error.status not in (409, 422):
                    raise refused_launch(error) from None
                refused = error
            else:
                self._mirror.saw_deployment(written)
                return read_workload(written, workload.pods)
            now = await self._cluster.get("deployments", workload.name)
            if now is None or not self._is_ours(now) or read_workload(now, []).decided != workload.decided:
                break
            if refused.status == 422:
                raise refused_launch(refused)
            version = now["metadata"]["resourceVersion"]
        raise ConflictError("somebody else changes this body")

    async def _have_volume(self, plan: Plan) -> None:
        if plan.options.storage is not None:
            await self._have("persistentvolumeclaims", claim(plan))

    async def _have(self, resource: str, wanted: Object) -> Object:
        """Have an object of ours; one that is there already stays as it is."""
        try:
            return await self._cluster.create(resource, wanted)
        except Refusal as error:
            if error.status != 409:
                raise refused_launch(error) from None
            found = await self._cluster.get(resource, wanted["metadata"]["name"])
            if found is not None and not self._is_ours(found):
                raise ConflictError(f"{wanted['metadata']['name']} in {resource} belongs to somebody else") from None
            return found or wanted

    async def _have_service(self, wanted: Object) -> Object:
        """Have the Service with these ports; whether it has an address cannot be changed, so then it is made anew."""
        name = wanted["metadata"]["name"]
        found = await self._cluster.get("services", name)
        if found is not None and not self._is_ours(found):
            raise ConflictError(f"the Service {name} belongs to somebody else")
        if found is not None and _addressed(found) != _addressed(wanted):
            await self._cluster.delete("services", name, {})
            found = None
        if found is None:
            return await self._have("services", wanted)
        return found if _ports(found) == _ports(wanted) else await self._cluster.apply("services", wanted)

    def _selector(self, key: Key) -> str:
        return ours(self._owner, f"sac/uid={key.uid}")

    def _is_ours(self, found: Object) -> bool:
        labels: Mapping[str, str] = found["metadata"].get("labels") or {}
        return labels.get(OWNER_LABEL) == self._owner


def _addressed(found: Object) -> bool:
    return bool(found["spec"].get("clusterIP") != "None")


def _address(found: Object) -> str:
    """Of a Service; none when it is a name alone."""
    return str(found["spec"].get("clusterIP") or "") if _addressed(found) else ""


def _ports(found: Object) -> set[tuple[str, int]]:
    return {(each["name"], each["port"]) for each in found["spec"].get("ports") or ()}
