"""Names at the engine, all derived from the uid, and the state of a body, which its container's name carries.

Labels of a container cannot be changed, its name can, in one step: it says which generation the body follows and what
was decided about it. A container is made as ``sac-UID``, so that the engine itself refuses a second; later it is
``sac-UID.GENERATION.STATE``.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal, get_args

from sac_core.models.body import Key

State = Literal["new", "up", "ending", "stopped", "deleting"]
"""``new``: not ready for anyone; ``up``: as it should be; the others: what was asked for."""

READY_LABEL = "sac/docker.ready"
"""On a container that is ready as soon as it runs, without anything being delivered to it first."""
HOLDER_LABEL = "sac/docker.python"
"""The Python that runs the holder; empty: this body has none."""
ROLE_LABEL = "sac/docker.role"
"""On what is not a body: ``look`` (a container for a moment), ``network``, ``holder``."""
IMAGE_LABEL = "sac/docker.image"
"""On a holder's volume: the id of the image whose containers use it."""

_SUFFIX = re.compile(r"\.(\d+)\.([a-z]+)$")


def first_name(key: Key) -> str:
    """The name that a container is made with."""
    return f"sac-{key.uid}"


def state_name(key: Key, generation: int, state: State) -> str:
    """The name of a container that follows a generation, in a state."""
    return f"sac-{key.uid}.{generation}.{state}"


def read_name(name: str) -> tuple[int | None, State | None]:
    """The generation and the state that a name carries; None for those of a name as it was made."""
    found = _SUFFIX.search(name)
    if found is None:
        return None, None
    state = next((state for state in get_args(State) if state == found[2]), None)
    return int(found[1]), state


def volume_name(key: Key, name: str = "") -> str:
    """The volume with the body's home and workspace, or one of its own volumes."""
    return f"sac-{key.uid}-{name}" if name else f"sac-{key.uid}"


def network_name(owner: str, tenant: str) -> str:
    """The network of a tenant of this installation."""
    return f"sac-t-{tenant}-{hashlib.sha256(owner.encode()).hexdigest()[:8]}"
