"""A pod as the cluster lists it: which life of the agent's container it is in, and what that and the others do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sac_executor_kubernetes.naming import CONTAINER


@dataclass(frozen=True, slots=True)
class Pod:
    """``restarts`` counts the starts of the agent's container after the first, ``state`` and ``last`` are of it too.

    ``first`` are the init containers as the cluster lists them, ``beside`` those that run beside the agent's.
    """

    name: str
    uid: str
    node: str
    labels: Mapping[str, str]
    phase: str
    reason: str
    message: str
    leaving: bool
    grace: int
    restarts: int
    state: Mapping[str, Any]
    last: Mapping[str, Any]
    scheduling: Mapping[str, Any]
    first: Sequence[Mapping[str, Any]]
    beside: Sequence[Mapping[str, Any]]

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more, or ever will."""
        if self.phase in ("Failed", "Succeeded"):
            return True
        others = any("running" in (each.get("state") or {}) for each in (*self.first, *self.beside))
        return self.leaving and "terminated" in self.state and not others

    @property
    def runs(self) -> bool:
        """Whether its container runs."""
        return not self.over and "running" in self.state

    @property
    def ended(self) -> Mapping[str, Any] | None:
        """How its container ended, if it does not run now and did before."""
        if self.runs:
            return None
        found = self.state.get("terminated") or self.last.get("terminated")
        return found if isinstance(found, Mapping) else None

    @property
    def waiting(self) -> tuple[str, str]:
        """Why its container does not run yet, and more of that; empty when it does not wait."""
        waiting = self.state.get("waiting") or {}
        return str(waiting.get("reason") or ""), str(waiting.get("message") or "")

    @property
    def life(self) -> str:
        """The start of its container that is, or was, the last one."""
        return life(self.uid, self.restarts)

    @property
    def next_life(self) -> str:
        """The start of its container that can be the body: the one that runs, else the one to come."""
        return life(self.uid, self.restarts + (1 if self.ended is not None else 0))


def life(uid: str, restarts: int) -> str:
    """A start of a container, as a mark."""
    return f"{uid}/{restarts}"


def read_life(mark: str) -> tuple[str, int]:
    """The pod and the start that a mark names."""
    uid, _, restarts = mark.partition("/")
    return uid, int(restarts) if restarts.isdecimal() else 0


def read_pod(found: Mapping[str, Any]) -> Pod:
    """From an item of the cluster's list."""
    about, status = found["metadata"], found.get("status") or {}
    containers = status.get("containerStatuses") or ()
    agents: Mapping[str, Any] = next((each for each in containers if each.get("name") == CONTAINER), {})
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    return Pod(
        name=about["name"],
        uid=about["uid"],
        node=str((found.get("spec") or {}).get("nodeName") or ""),
        labels=about.get("labels") or {},
        phase=str(status.get("phase") or "Pending"),
        reason=str(status.get("reason") or ""),
        message=str(status.get("message") or ""),
        leaving=bool(about.get("deletionTimestamp")),
        grace=int(about.get("deletionGracePeriodSeconds") or 0),
        restarts=int(agents.get("restartCount") or 0),
        state=agents.get("state") or {},
        last=agents.get("lastState") or {},
        scheduling=conditions.get("PodScheduled") or {},
        first=tuple(status.get("initContainerStatuses") or ()),
        beside=tuple(each for each in containers if each.get("name") != CONTAINER),
    )


def beside_trouble(found: Mapping[str, Any]) -> str:
    """What a side container has instead of running; empty when it runs, or comes."""
    state = found.get("state") or {}
    reason = (state.get("waiting") or state.get("terminated") or {}).get("reason")
    if not reason or reason in ("ContainerCreating", "PodInitializing"):
        return ""
    return f"{found.get('name')}: {reason}, {found.get('restartCount', 0)} restarts"
