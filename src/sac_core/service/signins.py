"""Who is signed in at the console: single-use codes, cookies with a per-origin secret, tickets for sockets."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from sac_core.contracts.context import State
from sac_core.errors import ExpiredError, UnauthenticatedError
from sac_core.models.principal import Principal
from sac_core.service.port_signins import PortSignIns
from sac_core.service.single_use import SingleUse, digest, restored, stored

CODE_TTL = 600.0
TICKET_TTL = 30.0
_FRESH = "run `sac console` for a fresh link"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The two halves of a sign-in, useless alone: the cookie's value and the secret that the page's origin keeps."""

    cookie: str = field(repr=False)
    secret: str = field(repr=False)
    principal: Principal


class SignIns:
    """Issues and checks them. Only digests are stored; a single-use thing is taken from the store in one step."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._once = SingleUse(state)
        self.ports = PortSignIns(state)
        """The same at the host names of ports."""

    async def issue_code(self, principal: Principal) -> str:
        """A sign-in code for a link's fragment: valid once, for ten minutes."""
        return await self._once.issue("code", stored(principal), CODE_TTL)

    async def redeem_code(self, code: str) -> SignedIn:
        """Sign in; raises `ExpiredError` when the code was used, is too old, or never was."""
        value = await self._once.take("code", code)
        if value is None:
            raise ExpiredError("this sign-in link was used already or is too old", reason="CodeExpired", hint=_FRESH)
        cookie, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        await self._state.put(f"signin/{digest(cookie)}", {**value, "secret": digest(secret)}, expected=0)
        return SignedIn(cookie, secret, restored(value))

    async def authenticate(self, cookie: str, secret: str) -> Principal:
        """The principal of a cookie and its secret; raises `UnauthenticatedError` when either is wrong."""
        entry = await self._state.get(f"signin/{digest(cookie)}")
        if entry is None or not hmac.compare_digest(str(entry.value["secret"]), digest(secret)):
            raise UnauthenticatedError("this browser is not signed in", hint=_FRESH)
        return restored(entry.value)

    async def is_signed_in(self, cookie: str) -> bool:
        """Whether a sign-in goes on; for streams that it opened, never instead of `authenticate`."""
        return await self._state.get(f"signin/{digest(cookie)}") is not None

    async def sign_out(self, cookie: str) -> None:
        """Forget a sign-in; absent is success."""
        await self._state.delete(f"signin/{digest(cookie)}")

    async def issue_ticket(self, principal: Principal, *, bound: str = "") -> str:
        """A ticket for one socket: valid once, for 30 seconds, and only where ``bound`` (an origin) is the same."""
        return await self._once.issue("tik", {**stored(principal), "bound": bound}, TICKET_TTL)

    async def redeem_ticket(self, ticket: str, *, bound: str = "") -> Principal:
        """The principal of a ticket; raises `UnauthenticatedError` when it was used, is too old or bound elsewhere."""
        value = await self._once.take("tik", ticket)
        if value is None or value.get("bound") != bound:
            raise UnauthenticatedError("this ticket was used already or is too old", hint="ask for a new one")
        return restored(value)
