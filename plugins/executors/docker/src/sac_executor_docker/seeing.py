"""What is there: a container as the engine lists it, and what it says of a body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sac_core.models.body import Key, Observed
from sac_core.models.process import Exit
from sac_executor_docker.naming import HOLDER_LABEL, READY_LABEL, State, read_name
from sac_executor_docker.troubles import passing

ALIVE = ("running", "paused", "restarting")


@dataclass(frozen=True, slots=True)
class Container:
    """A container of ours. ``status`` is the engine's word; ``detail`` its State, inspected when it does not run."""

    id: str
    key: Key
    generation: int
    hash: str
    state: State
    python: str
    status: str
    created: int
    detail: dict[str, Any]

    @property
    def alive(self) -> bool:
        """Whether anything of it may run."""
        return self.status in ALIVE

    @property
    def startable(self) -> bool:
        """Whether it is to be started again as it is. One that never started may lack what is put into it before."""
        return self.status not in ("created", "dead")

    @property
    def refused(self) -> str:
        """Why the engine could not start it."""
        return str(self.detail.get("Error") or "") if self.status == "created" else ""


def read_container(listed: dict[str, Any], detail: dict[str, Any]) -> Container:
    """From an item of the engine's list."""
    labels = listed["Labels"]
    generation, state = read_name(listed["Names"][0] if listed.get("Names") else "")
    made = "up" if labels.get(READY_LABEL) == "yes" else "new"
    return Container(
        id=listed["Id"],
        key=Key(labels.get("sac/tenant", ""), labels.get("sac/agent", ""), labels["sac/uid"]),
        generation=int(labels["sac/generation"]) if generation is None else generation,
        hash=labels["sac/hash"],
        state=state or ("up" if made == "up" else "new"),
        python=labels.get(HOLDER_LABEL, ""),
        status=listed["State"],
        created=listed["Created"],
        detail=detail,
    )


def observed(container: Container, now: datetime) -> Observed:
    """What a container says of its body, when nobody is working on it."""
    seen = Observed(
        key=container.key,
        phase="terminating",
        hash=container.hash,
        generation=container.generation,
        kept="disk",
        details={"container": container.id[:12]},
        observed_at=now,
    )
    if container.state == "deleting":
        return seen
    change = _living(container) if container.alive else _dead(container)
    return seen.model_copy(update=change)


def _living(container: Container) -> dict[str, Any]:
    if container.state in ("ending", "stopped"):
        return {"phase": "terminating"}
    if container.status == "paused":
        return {"phase": "unknown", "reason": "Paused", "message": "paused from outside: docker unpause it"}
    if container.state == "new":  # whoever worked on it was ended: to be gone on with, so of no hash
        return {"phase": "stopped", "hash": ""}
    return {"phase": "running", "holder": bool(container.python)}


def _dead(container: Container) -> dict[str, Any]:
    if container.state == "stopped":
        return {"phase": "stopped"}
    if container.refused and not passing(container.refused):
        return {"phase": "failed", "reason": "InvalidSpec", "message": f"it cannot be started: {container.refused}"}
    if container.status == "created":
        return {"phase": "stopped", "hash": ""}
    exit = Exit.from_status(int(container.detail.get("ExitCode") or 0))
    if container.detail.get("OOMKilled"):
        message = "the kernel killed it: it used more memory than it may"
        return {"phase": "failed", "reason": "OutOfMemory", "message": message, "exit": exit}
    if not container.python or container.state == "ending":
        return {"phase": "exited", "exit": exit}
    message = f"the container ended ({_words(exit)}): it was killed, or the engine was restarted"
    return {"phase": "failed", "reason": "Lost", "message": message, "exit": exit}


def _words(exit: Exit) -> str:
    return f"signal {exit.signal}" if exit.signal else f"code {exit.code}"
