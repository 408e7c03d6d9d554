"""The executors of this SAC, opened, by name; an executor that could not be opened is known with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sac_core.contracts.executor import Executor
from sac_core.errors import InvalidError, UnavailableError
from sac_core.models.agent import Agent, ExecutorRef

DEFAULT_TARGET = "default"


@dataclass(frozen=True, slots=True)
class Target:
    """One place where bodies run.

    ``isolated`` False is shown as *not a sandbox*; ``watches``: it gives hints; ``files``: it delivers files;
    ``place``: where its bodies are, when only servers there reach them.
    """

    name: str
    executor: Executor
    isolated: bool
    watches: bool = False
    files: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Targets:
    """Executors by name. Each has one target so far, named ``default``."""

    opened: Mapping[str, Target]
    failed: Mapping[str, str] = field(default_factory=dict)

    def of(self, agent: Agent) -> Target:
        """Where an agent runs; raises `UnavailableError` when its executor is not there (any more)."""
        ref = agent.spec.executor_ref
        name = ref.name if ref else ""
        if name in self.opened:
            return self.opened[name]
        why = self.failed.get(name, "it is not installed")
        raise UnavailableError(
            f"executor {name!r} cannot be used: {why}", field="spec.executor", hint="see: sac plugins", retry_after=30
        )

    def check(self, ref: ExecutorRef) -> None:
        """Refuse a target that does not exist; raises `InvalidError`."""
        if ref.target not in (None, DEFAULT_TARGET):
            raise InvalidError(
                f"executor {ref.name!r} has no target {ref.target!r}",
                field="spec.executor.target",
                hint=f"leave it out, or use {DEFAULT_TARGET!r}",
            )

    def __iter__(self) -> Iterator[Target]:
        return iter(self.opened.values())
