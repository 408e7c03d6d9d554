"""Names in the cluster, all derived from the uid, and the marks that say what was decided about a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from sac_core.models.body import OWNER_LABEL, Key

State = Literal["new", "up", "ending", "stopped", "deleting"]
"""``new``: not ready for anyone; ``up``: as it should be; the others: what was asked for."""

FIELD_MANAGER = "sac"
STATE_MARK = "sac/kubernetes.state"
"""The annotation of a Deployment with what was decided."""
LIFE_MARK = "sac/kubernetes.life"
"""The annotation of a Deployment with the life of its container that is the body: the pod's uid, and which start."""
ADDRESS_MARK = "sac/kubernetes.address"
"""The annotation of a Deployment with the address of its Service, so that nobody has to ask for it."""
HASH_LABEL = "sac/kubernetes.hash"
"""On pods what ``sac/hash`` is on Deployments. Where nodes run Docker, its engine tells the labels of pods as those of
containers: the executor ``docker`` shall not take them for its own."""
ROLE_LABEL = "sac/kubernetes.role"
"""On what is not a body: ``holder``."""
CONTAINER = "agent"


def object_name(key: Key) -> str:
    """The Deployment, the Service and the volume claim of a body."""
    return f"sac-{key.uid}"


def read_key(labels: Mapping[str, str]) -> Key:
    """Whose a thing is."""
    return Key(labels.get("sac/tenant", ""), labels.get("sac/agent", ""), labels.get("sac/uid", ""))


def read_state(annotations: Mapping[str, str]) -> State:
    """What was decided; a mark that nobody knows means that it is not ready."""
    return next((state for state in get_args(State) if state == annotations.get(STATE_MARK)), "new")


def ours(owner: str, *labels: str) -> str:
    """A selector of what is this installation's."""
    return ",".join([f"{OWNER_LABEL}={owner}", *labels])
