"""Pure transitions of an agent: what its end means, how long to wait, which condition holds."""

from __future__ import annotations

from typing import Literal

from sac_core.errors import LaunchError
from sac_core.models.agent import FAILED_REASONS, Agent, AgentSpec, AgentStatus
from sac_core.models.envelope import Condition
from sac_core.models.process import Exit

AfterExit = Literal["restart", "completed", "failed"]

CRASH_LOOP_AFTER = 5
"""From so many restarts in a row on, an agent is shown as Failed with reason CrashLoop; it is still started again."""

APPLIED = "Applied"
"""The condition that says whether what runs is what is wanted; there once something was refused."""

HEALTHY_AFTER = 600.0
"""A body that ran so many seconds ends a row of restarts."""

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0


def after_exit(spec: AgentSpec, exit: Exit | None) -> AfterExit:
    """What follows when a body has ended by itself; ``exit`` None when it was lost without a word."""
    well = exit is not None and exit.code == 0
    if spec.lifetime == "run":
        return "completed" if well else "failed"
    if spec.restart == "always" or (spec.restart == "on-failure" and not well):
        return "restart"
    return "completed" if well else "failed"


def restart_delay(restarts: int) -> float:
    """Seconds before the next start after so many in a row: 1, 2, 4, ... at most 60."""
    return float(min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(restarts, 10)))


def failed_reason(reason: str) -> str:
    """One of the closed list: the given one if it is on it, else that the executor gave none that we know."""
    return reason if reason in FAILED_REASONS else "ExecutorError"


USELESS = frozenset({"ImageNotFound", "InvalidSpec", "Forbidden", "Unsupported"})
"""Reasons of a failed body for which another of the same spec would fail too."""


def ended_reason(reason: str, exit: Exit | None) -> str:
    """Why a body has ended, of the closed list: what its executor or its exit says; Lost when nobody knows how."""
    said = next((each for each in (reason, exit.reason if exit else "") if each in FAILED_REASONS), None)
    return said or ("Lost" if exit is None else "Exited")


def describe_exit(exit: Exit | None) -> str:
    """A sentence for people about how something ended."""
    if exit is None:
        return "it went away without telling its exit"
    if exit.code is not None:
        return f"it ended with code {exit.code}"
    if exit.signal is not None:
        return f"it was ended by signal {exit.signal}"
    return f"it ended: {exit.reason or 'nothing is known of how'}"


def refusal(status: AgentStatus) -> Condition | None:
    """The condition that says that the version wanted now is refused, and an older one runs on."""
    return next((known for known in status.conditions if known.type == APPLIED and known.status == "False"), None)


def reached(agent: Agent, phase: str) -> bool:
    """Whether it is there (a completed run has been Running); raises `LaunchError` when it failed or was refused."""
    name, status = agent.metadata.name, agent.status
    if status.observed_generation != agent.metadata.generation and phase != "Terminating":
        return False
    hint, refused = f"see `sac describe {name}`", refusal(status)
    if phase == "Running" and refused is not None:
        raise LaunchError(
            f"a change of agent {name!r} was refused: {refused.message}", reason=refused.reason, hint=hint
        )
    if status.phase == phase or (phase == "Running" and status.phase == "Completed"):
        return True
    if status.phase == "Failed":
        raise LaunchError(f"agent {name!r} failed: {status.message or status.reason}", reason=status.reason, hint=hint)
    return False


def settled(status: AgentStatus, generation: int) -> bool:
    """Whether this generation has come to an end that only a change of the spec undoes."""
    done = status.phase == "Completed" or (status.phase == "Failed" and status.next_attempt is None)
    return done and status.observed_generation == generation
