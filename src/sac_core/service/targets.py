"""Where bodies can run, as this server sees it: the targets of executors, opened; of others it is known why not.

Every executor has a target ``default``, opened at start with the settings of SAC. The others are declared, and opened
and closed while SAC runs: by `TargetKeeper`, which nothing here knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sac_core.contracts.executor import Executor
from sac_core.contracts.store import Record
from sac_core.errors import NotReadyError, UnavailableError
from sac_core.models.agent import Agent
from sac_core.models.body import Finding, Probe
from sac_core.models.change import Change
from sac_core.models.placement import DEFAULT_TARGET, Placement


@dataclass(slots=True, eq=False)
class Target:
    """One place where bodies run.

    ``isolated`` False is shown as *not a sandbox*; ``watches``: it gives hints; ``files``: it delivers files;
    ``place``: where its bodies are, when only servers there reach them; ``dials``: it reaches ports; ``standard``: it
    is ready for agents that name no executor, ``unready``: what keeps it from that; ``needed``: somebody asked for it,
    so it is missed when it is not there.
    """

    at: Placement
    executor: Executor
    isolated: bool
    watches: bool = False
    files: bool = False
    place: str = ""
    dials: bool = False
    standard: bool = False
    unready: Finding | None = None
    needed: bool = True
    known: bool = False
    """Whether it has ever told what it can do."""

    @property
    def name(self) -> str:
        """How people call it: the executor's name alone for its default target."""
        return str(self.at)

    def learn(self, probe: Probe) -> None:
        """Know what it can do; one that is out of reach tells nothing of that."""
        self.place, self.unready = probe.place, _unready(probe)
        if probe.reachable:
            self.known, can = True, probe.capabilities
            self.watches, self.files, self.dials = "watch" in can, "files" in can, "dial" in can
            self.standard = probe.standard


def _unready(probe: Probe) -> Finding | None:
    if probe.reachable:
        return None if probe.standard else probe.unready
    return next((finding for finding in probe.findings if finding.level == "error"), None)


class Declared(NamedTuple):
    """A declared target, with all of its settings."""

    at: Placement
    uid: str
    settings: Mapping[str, Any]


class TargetOpener(ABC):
    """Opens executors for declared targets; whatever one of them does there harms no other."""

    @abstractmethod
    async def open(self, declared: Declared) -> Executor:
        """Opened with these settings; raises `SacError` with what the executor said."""

    @abstractmethod
    def ended(self, uid: str) -> bool:
        """Whether what was opened has ended by itself."""

    @abstractmethod
    async def close(self, uid: str) -> None:
        """Close what was opened, in bounded time; nothing is success."""


@dataclass(slots=True)
class Targets:
    """``opened`` by placement; ``failed``: why others cannot be used here. What is in neither is not looked at yet."""

    opened: dict[Placement, Target]
    failed: dict[Placement, str] = field(default_factory=dict)
    on_open: Callable[[Target], None] = field(default=lambda target: None)
    on_close: Callable[[Target], None] = field(default=lambda target: None)
    changed: Callable[[Change[Record]], None] = field(default=lambda change: None)
    """A declared target was written."""
    look: Callable[[str], Awaitable[Probe]] | None = None
    """Probes a declared target, by its uid, and opens it first where it is not."""

    def of(self, agent: Agent) -> Target:
        """Where an agent is.

        Raises `UnavailableError` when that cannot be used (any more), `NotReadyError` when it is about to be opened.
        """
        at = agent.status.placement
        if at in self.opened:
            return self.opened[at]
        if at.target != DEFAULT_TARGET and at not in self.failed:
            raise NotReadyError(f"target {at.target!r} is not open yet", hint=f"see: sac targets describe {at.target}")
        raise self._unavailable(at, self.failed.get(at, "it is not installed"))

    def may_serve(self, at: Placement) -> bool:
        """Whether this server can work on agents there, for all that it knows."""
        return at in self.opened or (at.target != DEFAULT_TARGET and at not in self.failed)

    def keys(self) -> frozenset[str]:
        """What this server reaches, as other servers are told."""
        return frozenset(at.key for at in self.opened)

    def put(self, target: Target) -> None:
        """It can be used from now on."""
        self.failed.pop(target.at, None)
        self.opened[target.at] = target
        self.on_open(target)

    def drop(self, at: Placement, why: str | None = None) -> None:
        """It cannot be used, and why; none: there is no such target any more."""
        target = self.opened.pop(at, None)
        if why is None:
            self.failed.pop(at, None)
        else:
            self.failed[at] = why
        if target is not None:
            self.on_close(target)

    def standard(self) -> str | None:
        """The first by name of the executors that are ready for agents that name none."""
        return min((target.at.executor for target in self if target.standard), default=None)

    def __iter__(self) -> Iterator[Target]:
        return iter(list(self.opened.values()))

    @staticmethod
    def _unavailable(at: Placement, why: str) -> UnavailableError:
        own = at.target == DEFAULT_TARGET
        what = f"executor {at.executor!r}" if own else f"target {at.target!r} of executor {at.executor!r}"
        hint = "see: sac plugins" if own else f"see: sac targets describe {at.target}"
        return UnavailableError(f"{what} cannot be used: {why}", field="spec.executor", hint=hint, retry_after=30)
