"""The Recording: what a session printed, kept after the session and its agent have gone."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.envelope import Metadata
from sac_core.models.names import Argv, Name
from sac_core.models.process import Exit, TtySize

RecordingPolicy = Literal["off", "best_effort", "strict"]
"""Whether a session is recorded; ``strict``: it must not be without its recording."""

RecordingPhase = Literal["Recording", "Complete", "Interrupted"]


def at_least(policy: RecordingPolicy, least: RecordingPolicy) -> bool:
    """Whether a policy asks for no less than another."""
    order = get_args(RecordingPolicy)
    return order.index(policy) >= order.index(least)


class RecordingSpec(Model):
    """Of what it is a recording. The names may mean other things by now, the uids do not."""

    session: Name
    session_uid: str
    agent: Name
    agent_uid: str
    policy: RecordingPolicy
    command: Argv | None = None
    tty: TtySize = TtySize()


class RecordingStatus(Model):
    """What is kept of it: ``duration`` in seconds, ``bytes`` that the session printed, ``missed`` of them not kept.

    ``digest`` is the last link of the chain of hashes over its ``chunks``. All but the phase and the start is told once
    it has ended; ``Interrupted``: its end was not seen.
    """

    phase: RecordingPhase = "Recording"
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: float | None = None
    bytes: int | None = Field(default=None, ge=0)
    missed: int | None = Field(default=None, ge=0)
    chunks: int | None = Field(default=None, ge=0)
    digest: str = ""
    exit: Exit | None = None


class Recording(Model):
    """What a session printed, as asciicast v2 when it is read."""

    api_version: Literal["sac/v1"] = "sac/v1"
    kind: Literal["Recording"] = "Recording"
    metadata: Metadata
    spec: RecordingSpec
    status: RecordingStatus = RecordingStatus()
