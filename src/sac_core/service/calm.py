"""Which agents need no look: they run as they are declared, their body was just seen to, and the way into it is open.

What may change of them is told: by their row, their executor, or their holder, whose link is lost when it ends.
"""

from __future__ import annotations

from sac_core.contracts.store import Record
from sac_core.models.body import Observed
from sac_core.service.bodies import Bodies


def calm(record: Record, bodies: Bodies) -> bool:
    """Whether an agent runs as declared, nothing of it is due, and this server has the way into its body."""
    status = record.status
    return (
        record.deleted_at is None
        and record.deadline is None
        and record.spec.get("state", "Running") == "Running"
        and (status.get("phase"), status.get("observedGeneration")) == ("Running", record.generation)
        and bodies.entered(record.uid) is not None
    )


def as_seen(record: Record, body: Observed | None) -> bool:
    """Whether an agent that is thought to run does: its body was seen to, of the launch that is wanted."""
    if record.status.get("phase") != "Running" or record.launch is None:
        return True
    wanted = ("running", record.status.get("hash"), record.launch.get("generation"))
    return body is not None and (body.phase, body.hash, body.generation) == wanted
