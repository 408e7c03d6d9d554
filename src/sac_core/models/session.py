"""The Session: a principal's lasting use of an agent. It owns one process and has many viewers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.envelope import Condition, Metadata
from sac_core.models.names import Argv, Environment, Name
from sac_core.models.process import Exit, TtySize
from sac_core.models.recording import RecordingPolicy

SessionPhase = Literal["Pending", "Running", "Ended", "Terminating"]


class SessionSpec(Model):
    """What to open. No ``command`` takes the runtime's terminal, no ``recording`` the server's policy."""

    agent: Name
    type: Literal["terminal"] = "terminal"
    command: Argv | None = None
    env: Environment = Field(default_factory=dict)
    cwd: str | None = None
    tty: TtySize = TtySize()
    recording: RecordingPolicy | None = None


class SessionStatus(Model):
    """What was seen of its process. ``agent_uid`` binds it to one agent; ``reattach`` False dies with the server."""

    phase: SessionPhase = "Pending"
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = 0
    agent_uid: str = ""
    reattach: bool = True
    exit: Exit | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None


class Session(Model):
    """A principal's lasting use of an agent; its uid is the id of its process."""

    api_version: Literal["sac/v1"] = "sac/v1"
    kind: Literal["Session"] = "Session"
    metadata: Metadata
    spec: SessionSpec
    status: SessionStatus = SessionStatus()
