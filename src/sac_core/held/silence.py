"""What to say, and whom to tell, of a holder that does not answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Silence:
    """Its name, advice, and who is told when its silence begins."""

    holder: str = "the holder"
    hint: str | None = None
    told: Callable[[], None] = lambda: None


UNNOTICED = Silence()
"""Nobody is told."""
