"""How a test of a contract says which promise it checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

Level = Literal["core", "full"]
F = TypeVar("F", bound=Callable[..., Any])


def promise(name: int | str, *, level: Level = "core") -> Callable[[F], F]:
    """Mark a test with the promise of the contract that it checks, a number or a word, and the level it belongs to."""

    def mark(test: F) -> F:
        test.sac_promise = (name, level)  # type: ignore[attr-defined]
        return test

    return mark
