"""The Target: a place that an executor runs bodies in, declared by who operates SAC. It belongs to no tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.body import Finding, Probe
from sac_core.models.envelope import Condition, Metadata, with_condition
from sac_core.models.names import Name

TargetPhase = Literal["Pending", "Ready", "NotReady"]

OPENED, REACHABLE = "Opened", "Reachable"
"""The conditions: the executor has been opened for it; and it answers, with nothing missing that agents need."""


class TargetSpec(Model):
    """``settings`` are the executor's. Those that are secret are written only: an answer never has them.

    ``schedulable`` False: it takes no new agents, those that are there go on.
    """

    executor: Name
    settings: dict[str, Any] = Field(default_factory=dict)
    schedulable: bool = True


class TargetStatus(Model):
    """What was seen of it last, by the server that looks after it.

    ``default``: agents that name its executor and no target go there. ``sealed`` are the settings that are kept and
    never shown, ``sealed_version`` counts their changes. ``findings`` are what is wrong or missing, with advice.
    """

    phase: TargetPhase = "Pending"
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = 0
    default: bool = False
    sealed: tuple[str, ...] = ()
    sealed_version: int = 0
    isolated: bool | None = None
    place: str = ""
    capabilities: tuple[str, ...] = ()
    limits: dict[str, str] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class Target(Model):
    """A place where agents can run."""

    api_version: Literal["sac/v1"] = "sac/v1"
    kind: Literal["Target"] = "Target"
    metadata: Metadata
    spec: TargetSpec
    status: TargetStatus = TargetStatus()


def probed(status: TargetStatus, now: datetime, generation: int, probe: Probe) -> TargetStatus:
    """It was opened and answered; what it answered is only what is not well."""
    wrong = tuple(finding for finding in probe.findings if finding.level != "ok")
    worst = next((finding for finding in wrong if finding.level == "error"), None)
    why = "" if probe.reachable else worst.message if worst else "it is not reachable"
    told = {} if not probe.reachable else {"capabilities": probe.capabilities, "limits": probe.limits}
    seen = status.model_copy(update={"isolated": probe.isolated, "place": probe.place, "findings": wrong, **told})
    seen = _condition(seen, now, OPENED, "", "")
    return _turned(_condition(seen, now, REACHABLE, "" if probe.reachable else "Unreachable", why), generation)


def silent(status: TargetStatus, now: datetime, generation: int, reason: str, message: str) -> TargetStatus:
    """It is opened, and did not answer."""
    seen = _condition(status, now, OPENED, "", "")
    return _turned(_condition(seen, now, REACHABLE, reason, message), generation)


def unopened(status: TargetStatus, now: datetime, generation: int, reason: str, message: str) -> TargetStatus:
    """It cannot be opened; it is tried again."""
    others = tuple(known for known in status.conditions if known.type != REACHABLE)
    seen = status.model_copy(update={"conditions": others, "findings": ()})
    return _turned(_condition(seen, now, OPENED, reason, message), generation)


def _turned(status: TargetStatus, generation: int) -> TargetStatus:
    """The phase is that of its conditions."""
    wrong = next((known for known in status.conditions if known.status == "False"), None)
    phase, reason, message = ("NotReady", wrong.reason, wrong.message) if wrong else ("Ready", "", "")
    update = {"phase": phase, "reason": reason, "message": message, "observed_generation": generation}
    return status.model_copy(update=update)


def _condition(status: TargetStatus, now: datetime, type: str, reason: str, message: str) -> TargetStatus:
    """Holds where there is no reason why not."""
    value: Literal["True", "False"] = "False" if reason else "True"
    new = Condition(type=type, status=value, reason=reason, message=message, last_transition_time=now)
    return status.model_copy(update={"conditions": with_condition(status.conditions, new)})
