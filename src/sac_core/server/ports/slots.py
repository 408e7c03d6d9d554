"""How many connections to the ports of one agent are open at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sac_core.errors import UnavailableError

MOST: Final = 500


class Slots:
    """Counts them, by the agent's uid."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, uid: str) -> Iterator[None]:
        """One more for as long as the context lasts; raises `UnavailableError` when there are `MOST`."""
        if self._taken[uid] >= MOST:
            raise UnavailableError(f"{MOST} connections to this agent's ports are open", reason="Busy", retry_after=1)
        self._taken[uid] += 1
        try:
            yield
        finally:
            self._taken[uid] -= 1
            if not self._taken[uid]:
                del self._taken[uid]
