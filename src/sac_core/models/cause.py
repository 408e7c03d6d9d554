"""Why an agent is as it is: its timeline, cause after cause."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from sac_core.models.base import Model

CauseKind = Literal["request", "version", "executor", "backend", "step", "phase", "session", "server"]
"""What it is: a wish, a new spec, a call of an executor, what that saw, a step of preparing the workspace, a new
phase, a terminal, a start of SAC."""


class Cause(Model):
    """One thing that happened to an agent. ``because`` is the ``seq`` of what caused it; none: it began here.

    What happens again and again (a crash loop, an executor that does not answer) is counted in ``count``: ``at`` is
    the first time, ``last_at`` the last, and text and details are those of the last.
    """

    seq: int
    kind: CauseKind
    actor: str
    text: str
    at: datetime
    last_at: datetime
    count: int = 1
    because: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Timeline(Model):
    """What happened to one agent, newest last; kept after the agent has gone. Numbers of causes are the agent's own."""

    agent: str
    namespace: str
    uid: str
    items: tuple[Cause, ...] = ()
