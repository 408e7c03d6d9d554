"""How a stay in front of a session begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

from sac_core.models.process import Exit
from sac_core.wire.terminal import Role


@dataclass(frozen=True, slots=True)
class Wish:
    """How to attach: ``mode`` None takes control if it is free, ``take`` takes it from another."""

    mode: Role | None = None
    take: bool = False
    keys: bytes = b""


@dataclass(frozen=True, slots=True)
class Left:
    """How a view ended: with the process's exit, by the detach keys (``exit`` None), or by a signal to us."""

    exit: Exit | None = None
    status: int = 0

    @property
    def code(self) -> int:
        """The exit status of the command."""
        return self.exit.status if self.exit else self.status
