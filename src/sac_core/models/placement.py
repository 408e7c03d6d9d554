"""Where a body is: an executor, and which of the places that it is opened for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

DEFAULT_TARGET = "default"
"""The target that every executor has by itself, with the settings of SAC."""


class Placement(NamedTuple):
    """An executor and one of its targets, by their names."""

    executor: str
    target: str = DEFAULT_TARGET

    @property
    def key(self) -> str:
        """Both names, always."""
        return f"{self.executor}/{self.target}"

    def __str__(self) -> str:
        return self.executor if self.target == DEFAULT_TARGET else self.key


def placement_in(status: Mapping[str, Any]) -> Placement | None:
    """Where an agent was placed, by its status in wire form; None before it was."""
    executor = status.get("executor")
    return Placement(executor, status.get("target", DEFAULT_TARGET)) if executor else None
