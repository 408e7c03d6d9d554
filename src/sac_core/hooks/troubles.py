"""What plugins did wrong after they were loaded: `sac plugins` tells it, so that nobody has to search."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime

from sac_core.contracts.context import utc_now

log = logging.getLogger("sac.plugins")


@dataclass(slots=True)
class _Trouble:
    what: str
    last: datetime
    times: int = 1


@dataclass(slots=True)
class Troubles:
    """The last trouble with each plugin and how many there were; and those that are of no use because of it."""

    _seen: dict[tuple[str, str], _Trouble] = field(default_factory=dict)
    _failed: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, family: str, name: str, what: str) -> None:
        """It goes on, but did this: raised something that is not ours, did not answer, held up the event loop."""
        log.warning("%s %s: %s", family, name, what)
        before = self._seen.get((family, name))
        self._seen[family, name] = _Trouble(what, utc_now(), before.times + 1 if before else 1)

    def fail(self, family: str, name: str, why: str) -> None:
        """It is not used (any more) because of this."""
        when = utc_now().isoformat(timespec="seconds").replace("+00:00", "Z")
        log.warning("%s %s is not used: %s", family, name, why)
        self._failed[family, name] = f"{why} (at {when})"

    def forgive(self, family: str, name: str) -> None:
        """It is tried again."""
        self._failed.pop((family, name), None)

    def failure(self, family: str, name: str) -> str:
        """Why it is not used; empty when it is."""
        return self._failed.get((family, name), "")

    def told(self, family: str, name: str) -> str:
        """Its last trouble, in a line; empty when there was none."""
        trouble = self._seen.get((family, name))
        if trouble is None:
            return ""
        when = trouble.last.isoformat(timespec="seconds").replace("+00:00", "Z")
        return f"{trouble.what} ({'once' if trouble.times == 1 else f'{trouble.times} times'}, last at {when})"
