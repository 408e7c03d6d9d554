"""Who is signed in at the host name of a port: single-use codes for links, and cookies for that one port alone."""

from __future__ import annotations

import secrets

from sac_core.contracts.context import State
from sac_core.errors import ExpiredError
from sac_core.models.principal import Principal
from sac_core.service.single_use import SingleUse, digest, restored, stored

CODE_TTL = 600.0
SIGN_IN_TTL = 7 * 86400.0
"""Seconds that such a sign-in lasts; one that began in the console ends with the console's, too."""


class PortSignIns:
    """Issues and checks them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._codes = SingleUse(state)

    async def issue_code(self, principal: Principal, uid: str, port: int, *, console: str | None = None) -> str:
        """A code for a link's fragment: valid once, for ten minutes; ``console`` is the cookie of who asks there."""
        parent = digest(console) if console else ""
        return await self._codes.issue("port", {**stored(principal), **_place(uid, port), "parent": parent}, CODE_TTL)

    async def redeem_code(self, code: str, uid: str, port: int) -> str:
        """The cookie of a new sign-in; raises `ExpiredError` unless the code is new and of this port."""
        value = await self._codes.take("port", code)
        if value is None or {**value, **_place(uid, port)} != value:
            raise ExpiredError(
                "this link was used already or is too old",
                reason="CodeExpired",
                hint="open the port from the agent's page in the console, or run `sac open` again",
            )
        cookie = secrets.token_urlsafe(32)
        await self._state.put(f"port-signin/{digest(cookie)}", value, expected=0, ttl=SIGN_IN_TTL)
        return cookie

    async def principal(self, cookie: str, uid: str, port: int) -> Principal | None:
        """Who signed in at this port with that cookie; None when nobody did, or signed out meanwhile."""
        entry = await self._state.get(f"port-signin/{digest(cookie)}")
        if entry is None or {**entry.value, **_place(uid, port)} != entry.value:
            return None
        return restored(entry.value) if await self._goes_on(str(entry.value["parent"])) else None

    async def is_signed_in(self, cookie: str) -> bool:
        """Whether a sign-in goes on; for streams that it opened."""
        entry = await self._state.get(f"port-signin/{digest(cookie)}")
        return entry is not None and await self._goes_on(str(entry.value["parent"]))

    async def _goes_on(self, parent: str) -> bool:
        return not parent or await self._state.get(f"signin/{parent}") is not None


def _place(uid: str, port: int) -> dict[str, str | int]:
    return {"uid": uid, "port": port}
