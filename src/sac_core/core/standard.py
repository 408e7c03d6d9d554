"""Which executor runs agents that name none, and why it is that one."""

from __future__ import annotations

from sac_core.models.body import Finding
from sac_core.service.targets import Targets
from sac_core.settings import Settings

LEAST = "process"
"""The executor that is always there."""


def named_executor(settings: Settings) -> str:
    """The executor without which SAC does not start."""
    return settings.default_executor or LEAST


def standard_executor(settings: Settings, targets: Targets) -> str:
    """The executor of agents that name none: as set, else one that is ready for them, else processes.

    Servers that share a database need not see the same executors, and have to agree: there it is processes.
    """
    ready = targets.standard() if settings.database is None else None
    return settings.default_executor or ready or LEAST


def why_standard(settings: Settings, targets: Targets) -> tuple[str, ...]:
    """Why it is that one, in words, a reason each; none where there is no other to choose."""
    if settings.default_executor is not None:
        return ("SAC_DEFAULT_EXECUTOR says so",)
    if settings.database is not None:
        return ("servers that share a database have to agree; SAC_DEFAULT_EXECUTOR names another",)
    ready = targets.standard()
    if ready is not None:
        return (f"{ready} is ready; SAC_DEFAULT_EXECUTOR names another",)
    return tuple(_unready(targets))


def _unready(targets: Targets) -> list[str]:
    """What would be in sandboxes, and what is missing for that."""
    found = [(target.name, target.unready) for target in targets if target.isolated and target.unready is not None]
    return [_told(name, lacks) for name, lacks in sorted(found, key=lambda each: each[0])]


def _told(name: str, lacks: Finding) -> str:
    advice = f"\n-> {lacks.advice}" if lacks.advice else ""
    return f"{name} is not ready: {lacks.message}{advice}"
