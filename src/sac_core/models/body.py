"""What an executor says about bodies and about itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import Field

from sac_core.models.base import Model
from sac_core.models.process import Exit

BodyPhase = Literal["absent", "pending", "running", "stopped", "exited", "failed", "terminating", "unknown"]
Kept = Literal["memory", "disk", "nothing"]


class Key(NamedTuple):
    """Which body: every name outside SAC is derived from ``uid``; ``tenant`` and ``agent`` are labels for people."""

    tenant: str
    agent: str
    uid: str


BUILDING = "BuildingImage"
"""The reason of a pending body whose image is built first: that time is none of its start."""


class Observed(Model):
    """What an executor saw of a body at ``observed_at`` (UTC).

    ``hash`` and ``generation`` are those the body carries; ``holder`` says whether `open_holder` can reach one;
    ``kept`` what a stopped body kept, or one that was deleted without its volumes; ``message`` then names them, as the
    executor's own tools do. ``progress`` is a line for people (an image pull). ``details`` say where it is, in the
    executor's own words (``pod``, ``node``). ``reason`` and ``message`` say why it is as it is; of an absent body, why
    the last attempt to make it went wrong.
    """

    key: Key
    phase: BodyPhase
    reason: str = ""
    message: str = ""
    hash: str = ""
    generation: int = 0
    exit: Exit | None = None
    holder: bool = False
    kept: Kept = "nothing"
    progress: str = ""
    details: dict[str, str] = Field(default_factory=dict)
    observed_at: datetime | None = None


class Finding(Model):
    """One line of a check, with advice."""

    level: Literal["ok", "warning", "error"]
    check: str
    message: str
    advice: str = ""


class Probe(Model):
    """An executor's answer to: are you reachable, what can you do? ``isolated`` False is shown as *not a sandbox*.

    ``place`` names where its bodies are when only servers there reach them; empty: every server does. ``standard`` says
    that it is ready to run agents that name no executor: nothing of what they need is missing. ``unready`` is what is
    missing for that, with advice; of one that is not reachable it is its first error.
    """

    reachable: bool
    isolated: bool = True
    place: str = ""
    standard: bool = False
    unready: Finding | None = None
    capabilities: tuple[str, ...] = ()
    limits: dict[str, str] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


CAPABILITIES = ("holder", "stop", "watch", "dial", "limits", "replace", "files", "images")
"""What a `Probe` may name: optional parts of the contract, each checked by the suite when named."""

OWNER_LABEL = "sac/owner"


def body_labels(owner: str, key: Key, *, generation: int, hash: str) -> dict[str, str]:
    """The labels that every body carries; what lacks our ``sac/owner`` is never touched."""
    return {
        OWNER_LABEL: owner,
        "sac/tenant": key.tenant,
        "sac/agent": key.agent,
        "sac/uid": key.uid,
        "sac/generation": str(generation),
        "sac/hash": hash,
    }
