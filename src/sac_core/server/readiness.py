"""Whether the store answers, found out soon also when it does not: a question that hangs is asked once."""

from __future__ import annotations

import asyncio

from sac_core.errors import UnavailableError
from sac_core.service.signins import SignIns

PATIENCE = 3.0
"""Seconds until a store that has not answered is none to serve with."""


class Readiness:
    """Asks the store, for all who want to know at once. The store bounds how long a question may hang."""

    def __init__(self, signins: SignIns) -> None:
        self._signins = signins
        self._asked: asyncio.Task[bool] | None = None

    async def check(self) -> None:
        """Raise `UnavailableError` when the store fails, or says nothing within `PATIENCE`."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(self._signins.is_signed_in(""))
            self._asked.add_done_callback(_seen)
        asked = self._asked
        await asyncio.wait([asked], timeout=PATIENCE)
        if not asked.done():
            raise UnavailableError("the database does not answer", reason="StorageLost", retry_after=2.0)
        asked.result()


def _seen(asked: asyncio.Task[bool]) -> None:
    """Its failure is told to those who still wait, if there are any."""
    if not asked.cancelled():
        asked.exception()
