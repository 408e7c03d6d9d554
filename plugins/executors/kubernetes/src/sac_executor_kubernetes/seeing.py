"""What is there of a body: its Deployment and its pods, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sac_core.models.body import Key, Observed
from sac_executor_kubernetes import reasons
from sac_executor_kubernetes.naming import ADDRESS_MARK, CONTAINER, LIFE_MARK, STATE_MARK, State, read_key, read_state
from sac_executor_kubernetes.pods import Pod, beside_trouble, read_life

MULTIPLE_PODS = "MultiplePods"


class Decided(NamedTuple):
    """What was decided about a body, as it stands in its Deployment; the cluster's own writes leave it alone."""

    uid: str
    generation: str
    hash: str
    state: str
    life: str
    replicas: int


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment of ours and its pods. ``life`` is the mark of the start that is the body; empty: any first one.

    ``settled`` says that the cluster has heard how many pods there shall be, and that there are no others.
    """

    key: Key
    name: str
    uid: str
    version: str
    decided: Decided
    labels: Mapping[str, str]
    state: State
    life: str
    kept: bool
    settled: bool
    python: str
    service: str
    address: str
    conditions: Mapping[str, Mapping[str, Any]]
    pods: Sequence[Pod]

    @property
    def generation(self) -> int:
        """Which it follows."""
        return int(self.labels.get("sac/generation") or 0)

    @property
    def hash(self) -> str:
        """What it was made from."""
        return self.labels.get("sac/hash", "")

    @property
    def wanted(self) -> bool:
        """Whether it shall have a pod."""
        return self.state in ("new", "up")

    @property
    def details(self) -> dict[str, str]:
        """Where it is, for people who look for it in the cluster; none while it has no pod."""
        pod = next(iter(self.alive), None)
        if pod is None:
            return {}
        told = {
            "pod": pod.name,
            "node": pod.node,
            "service": self.service,
            "address": self.address,
            "containerRestarts": str(pod.restarts or ""),
            "sideContainers": ", ".join(each for each in map(beside_trouble, pod.beside) if each),
        }
        return {name: value for name, value in told.items() if value}

    @property
    def alive(self) -> list[Pod]:
        """Pods of which something may run."""
        return [pod for pod in self.pods if not pod.over]

    @property
    def quiet(self) -> bool:
        """Whether nothing of it runs, nor is about to."""
        return not self.wanted and self.settled and not self.alive


def read_workload(found: Mapping[str, Any], pods: Sequence[Pod]) -> Workload:
    """From an item of the cluster's list of Deployments."""
    about, spec = found["metadata"], found["spec"]
    annotations = about.get("annotations") or {}
    inside, status = spec["template"]["spec"], found.get("status") or {}
    state = read_state(annotations)
    if state in ("new", "up") and not spec.get("replicas"):  # somebody was stopped before it was let run
        state = "ending"
    return Workload(
        key=read_key(about["labels"]),
        name=about["name"],
        uid=about["uid"],
        version=about["resourceVersion"],
        decided=Decided(
            uid=about["uid"],
            generation=about["labels"].get("sac/generation") or "",
            hash=about["labels"].get("sac/hash") or "",
            state=annotations.get(STATE_MARK) or "",
            life=annotations.get(LIFE_MARK) or "",
            replicas=int(spec.get("replicas") or 0),
        ),
        labels=about["labels"],
        state="deleting" if about.get("deletionTimestamp") else state,
        life=annotations.get(LIFE_MARK) or "",
        kept=any("persistentVolumeClaim" in volume for volume in inside.get("volumes") or ()),
        settled=int(status.get("observedGeneration") or 0) >= int(about["generation"]) and not status.get("replicas"),
        python=_python(inside["containers"]),
        service=f"{about['name']}.{about.get('namespace')}.svc",
        address=annotations.get(ADDRESS_MARK) or "",
        conditions={each["type"]: each for each in status.get("conditions") or ()},
        pods=pods,
    )


def _python(containers: Sequence[Mapping[str, Any]]) -> str:
    """With which the agent's container was started."""
    agents: Mapping[str, Any] = next((each for each in containers if each.get("name") == CONTAINER), {})
    return str((agents.get("command") or [""])[0])


def observed(workload: Workload, now: datetime, *, delivering: bool = False) -> Observed:
    """What it says of its body; ``delivering``: somebody here brings it its files, or waits until it can."""
    seen = Observed(
        key=workload.key,
        phase="terminating",
        hash=workload.hash,
        generation=workload.generation,
        kept="disk" if workload.kept else "nothing",
        details=workload.details,
        observed_at=now,
    )
    if workload.state == "deleting":
        return seen
    return seen.model_copy(update=_wanted(workload, delivering) if workload.wanted else _unwanted(workload))


def ghost(key: Key, now: datetime) -> Observed:
    """Pods that run though their Deployment is gone: they are on their way out."""
    return Observed(key=key, phase="terminating", message="its Deployment was removed", observed_at=now)


def _unwanted(workload: Workload) -> dict[str, Any]:
    if not workload.quiet:
        return {"phase": "terminating"}
    return {"phase": "stopped"} if workload.state == "stopped" else {"phase": "stopped", "hash": ""}


def _wanted(workload: Workload, delivering: bool) -> dict[str, Any]:
    pods = workload.alive
    if len(pods) > 1:
        names = ", ".join(sorted(pod.name for pod in pods))
        return {"phase": "unknown", "reason": MULTIPLE_PODS, "message": f"it has more than one pod: {names}"}
    if not pods:
        return reasons.gone(_former(workload)) if workload.life else reasons.not_made(workload.conditions)
    change = _of_pod(workload, pods[0])
    if change.get("phase") != "running" or workload.state == "up":
        return change
    return {"phase": "pending", "progress": "bringing its files"} if delivering else {"phase": "stopped", "hash": ""}


def _of_pod(workload: Workload, pod: Pod) -> dict[str, Any]:
    if pod.reason == "NodeLost":
        return {"phase": "unknown", "reason": "NodeLost", "message": pod.message or "its node does not answer"}
    uid, start = read_life(workload.life) if workload.life else (pod.uid, 0)
    if pod.uid != uid:
        return reasons.gone(_former(workload))
    if pod.leaving:
        return {"phase": "terminating"}
    if pod.restarts > start or (pod.restarts == start and pod.ended is not None):
        return reasons.died(pod)
    if pod.runs and pod.restarts == start:
        return {"phase": "running", "holder": True}
    return reasons.not_running(pod)


def _former(workload: Workload) -> Pod | None:
    """The pod that was the body, if it is still listed."""
    uid, _ = read_life(workload.life)
    return next((pod for pod in workload.pods if pod.uid == uid), None)
