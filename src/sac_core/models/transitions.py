"""Pure transitions of an agent's status: from what it was, what was seen, and the time, to what it is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from sac_core.models.agent import AgentPhase, AgentStatus
from sac_core.models.body import BUILDING, Observed
from sac_core.models.envelope import Condition, with_condition
from sac_core.models.lifecycle import APPLIED, CRASH_LOOP_AFTER, HEALTHY_AFTER, refusal, restart_delay
from sac_core.models.process import Exit
from sac_core.models.secret_use import SecretVersion

PREPARATIONS = ("WorkspaceCloned", "InstructionsPlaced", "SkillsPlaced", "ProgramsFound")
"""The conditions of what is put into a workspace, in the order in which it is done."""


def observed(status: AgentStatus, generation: int) -> AgentStatus:
    """This generation has been looked at."""
    return status.model_copy(update={"observed_generation": generation})


UNAVAILABLE = "Unavailable"
"""The reason of an agent that waits for an executor that does not answer."""


def reachable(status: AgentStatus, now: datetime) -> AgentStatus:
    """The executor answered."""
    update: dict[str, object] = {"reason": "", "message": ""} if status.reason == UNAVAILABLE else {}
    if away(status) and status.phase == "Starting":
        update["started_at"] = now  # nothing could be started meanwhile
    return _condition(status, now, "ExecutorReachable", "True").model_copy(update=update)


def unreachable(status: AgentStatus, now: datetime, message: str, *, doing: AgentPhase | None = None) -> AgentStatus:
    """The executor did not answer: a condition, never by itself a failure.

    ``doing`` is the phase of what waits for it; none: nothing of the agent does.
    """
    told = _condition(status, now, "ExecutorReachable", "False", UNAVAILABLE, message)
    update = {"phase": doing, "reason": UNAVAILABLE, "message": message, "progress": ""}
    return told.model_copy(update=update if doing else {})


def away(status: AgentStatus) -> bool:
    """Whether the executor did not answer when it was asked last."""
    return any(known.type == "ExecutorReachable" and known.status == "False" for known in status.conditions)


def attempt(status: AgentStatus, now: datetime, *, fresh: bool) -> AgentStatus:
    """A body is being asked for; ``fresh`` is a new generation, which begins to count anew."""
    update: dict[str, object] = {"next_attempt": None}
    if fresh or status.started_at is None:
        update |= {"started_at": now, "running_at": None}
    status = _accepted(status, now)
    return status.model_copy(update=update | ({"restarts": 0} if fresh else {}))


def retried(status: AgentStatus, now: datetime, reason: str, message: str, seconds: float) -> AgentStatus:
    """A body was asked for and cannot be made now; it is asked for again in some seconds, and why is told meanwhile."""
    ready = _condition(status, now, "Ready", "False", reason, message)
    update = {
        "phase": "Starting",
        "reason": reason,
        "message": f"{message}; it is tried again",
        "progress": "",
        "exit": None,
        "next_attempt": now + timedelta(seconds=seconds),
    }
    return ready.model_copy(update=update)


def succeeded(status: AgentStatus) -> AgentStatus:
    """What was asked for is there after all: there is nothing to try again, unless what ended is started again."""
    return status if status.exit is not None else status.model_copy(update={"next_attempt": None})


def postponed(status: AgentStatus, before: AgentStatus, now: datetime, *, fresh: bool) -> AgentStatus:
    """What was there is still ending: the attempt is due again at once, and that end is none to count."""
    return status.model_copy(update={"next_attempt": now, "started_at": now if fresh else before.started_at or now})


def delivered(status: AgentStatus, now: datetime, versions: tuple[SecretVersion, ...]) -> AgentStatus:
    """Its secrets, if it has any, are in these versions where its processes find them."""
    if not versions and not status.secrets:
        return status
    return _condition(status, now, "SecretsReady", "True").model_copy(update={"secrets": versions})


def secrets_missing(status: AgentStatus, now: datetime, reason: str, message: str) -> AgentStatus:
    """It runs, but what is started in it from now on cannot get its secrets."""
    return _condition(status, now, "SecretsReady", "False", reason, message)


def steps_wanted(status: AgentStatus, types: Collection[str]) -> AgentStatus:
    """Only these steps prepare its workspace: conditions of others say nothing any more."""
    gone = {type for type in PREPARATIONS if type not in types}
    left = tuple(condition for condition in status.conditions if condition.type not in gone)
    return status.model_copy(update={"conditions": left, "next_clone": None})


def step_done(status: AgentStatus, now: datetime, type: str) -> AgentStatus:
    """One step of the preparation is done."""
    return _condition(status, now, type, "True")


def step_waits(status: AgentStatus, now: datetime, type: str, reason: str, message: str) -> AgentStatus:
    """One step of the preparation is on its way, or is tried again later."""
    return _condition(status, now, type, "False", reason, message)


def start_began(status: AgentStatus, now: datetime, body: Observed) -> datetime:
    """Since when its start takes time: building an image takes none of it."""
    return now if body.reason == BUILDING or status.phase == "Running" else status.started_at or now


def detailed(status: AgentStatus, body: Observed) -> AgentStatus:
    """What its executor tells of its body besides."""
    return status.model_copy(update={"details": body.details})


def starting(status: AgentStatus, now: datetime, body: Observed) -> AgentStatus:
    """A body is on its way."""
    since = start_began(status, now, body)
    return _condition(status, now, "Ready", "False", "Starting").model_copy(
        update={
            "phase": "Starting",
            "reason": body.reason,
            "message": body.message,
            "progress": body.progress,
            "started_at": since,
        }
    )


def running(status: AgentStatus, now: datetime, launch_hash: str) -> AgentStatus:
    """It runs, with the current hash, and its holder has said hello."""
    since = status.running_at if status.phase == "Running" else now
    status = _accepted(status, now)
    return _condition(status, now, "Ready", "True").model_copy(
        update=_QUIET | {"phase": "Running", "hash": launch_hash, "exit": None, "running_at": since}
    )


def refused(status: AgentStatus, now: datetime, reason: str, message: str, running: int) -> AgentStatus:
    """The executor refuses what is wanted now, and generation ``running`` runs on."""
    text = f"{message}; version {running} runs on"
    condition = _condition(status, now, APPLIED, "False", reason, text)
    return condition.model_copy(update={"reason": reason, "message": text})


def unapplied(status: AgentStatus, now: datetime, reason: str, message: str) -> AgentStatus:
    """What is wanted now cannot be put into its workspace, and it runs on with what is there."""
    text = f"{message}; it runs on with what is there"
    condition = _condition(status, now, APPLIED, "False", reason, text)
    return condition.model_copy(update={"reason": reason, "message": text})


def stopping(status: AgentStatus) -> AgentStatus:
    """It is asked to end; the phase changes when it has."""
    return status.model_copy(update={"reason": "Stopping", "message": "its body is ending"})


def stopped(status: AgentStatus, now: datetime) -> AgentStatus:
    """It has no body because none is wanted."""
    ready = _condition(status, now, "Ready", "False", "Stopped")
    return ready.model_copy(update=_QUIET | {"phase": "Stopped", "details": {}, "running_at": None, "started_at": None})


def completed(status: AgentStatus, now: datetime, exit: Exit | None, message: str) -> AgentStatus:
    """It has done what it was for."""
    ready = _condition(status, now, "Ready", "False", "Completed")
    return ready.model_copy(update=_QUIET | {"phase": "Completed", "message": message, "exit": exit})


def failed(status: AgentStatus, now: datetime, reason: str, message: str, exit: Exit | None = None) -> AgentStatus:
    """It cannot run, and waits for a person; ``reason`` is of the closed list."""
    ready = _condition(status, now, "Ready", "False", reason, message)
    return ready.model_copy(
        update=_QUIET | {"phase": "Failed", "reason": reason, "message": message, "exit": exit or status.exit}
    )


def restart_later(
    status: AgentStatus, now: datetime, reason: str, message: str, *, exit: Exit | None, jitter: float
) -> tuple[AgentStatus, float]:
    """It ended and is started again after a delay, which is returned in seconds; ``jitter`` scales it."""
    ran = (now - status.running_at).total_seconds() if status.running_at else 0.0
    restarts = 0 if ran > HEALTHY_AFTER else status.restarts
    delay = restart_delay(restarts) * jitter
    looping = restarts >= CRASH_LOOP_AFTER
    ready = _condition(status, now, "Ready", "False", "CrashLoop" if looping else reason, message)
    update = {
        "phase": "Failed" if looping else "Starting",
        "reason": "CrashLoop" if looping else reason,
        "message": f"{message}; it is started again in {delay:.0f} s (restart {restarts + 1})",
        "exit": exit,
        "restarts": restarts + 1,
        "next_attempt": now + timedelta(seconds=delay),
        "started_at": now + timedelta(seconds=delay),
        "running_at": None,
    }
    return ready.model_copy(update=update), delay


def _accepted(status: AgentStatus, now: datetime) -> AgentStatus:
    """What is wanted now is not refused any more, if it was."""
    return _condition(status, now, APPLIED, "True") if refusal(status) is not None else status


_QUIET: dict[str, object] = {"reason": "", "message": "", "progress": "", "next_attempt": None}


def _condition(
    status: AgentStatus,
    now: datetime,
    type: str,
    value: Literal["True", "False", "Unknown"],
    reason: str = "",
    message: str = "",
) -> AgentStatus:
    new = Condition(type=type, status=value, reason=reason, message=message, last_transition_time=now)
    return status.model_copy(update={"conditions": with_condition(status.conditions, new)})
