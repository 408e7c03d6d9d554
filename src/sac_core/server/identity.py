"""Who is asking: a bearer token, a browser's sign-in with its secret, or a socket's single-use ticket."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sac_core.contracts.authenticator import Credentials
from sac_core.errors import ForbiddenError, UnauthenticatedError
from sac_core.models.principal import Principal
from sac_core.server import headers
from sac_core.server.door import ARRIVAL, Arrival

if TYPE_CHECKING:
    from sac_core.core.wiring import Core

Authenticate = Callable[[Credentials], Awaitable[Principal | None]]

SECRET_HEADER: Final = b"x-sac-secret"
TICKET_PROTOCOL: Final = "sac.ticket."
COOKIE_AGE: Final = 400 * 86400
"""Seconds that a browser keeps the cookie: the most that browsers allow. The server forgets it at sign-out."""
_MOST_COOKIES: Final = 4
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who was let in, and by what: the cookie of a sign-in, one of a port's host name, or a bearer token.

    It is asked again while a stream is open.
    """

    principal: Principal
    cookie: str | None = field(default=None, repr=False)
    credentials: Credentials | None = None
    port_cookie: str | None = field(default=None, repr=False)


class Identifier:
    """Finds out who is asking. ``authenticate`` replaces the core's authenticators for bearer tokens."""

    def __init__(self, core: Core, authenticate: Authenticate | None = None) -> None:
        self._core = core
        self._authenticate = authenticate or core.authenticate
        self._digest = hashlib.sha256(str(core.settings.data_dir).encode()).hexdigest()[:8]

    def cookie_name(self, scope: Any) -> str:
        """The sign-in cookie's name, with port and data directory: browsers send it to every port of a host."""
        arrival: Arrival = scope[ARRIVAL]
        port = arrival.authority.port if arrival.authority else 0
        return f"sac-{port}-{self._digest}"

    async def identify(self, scope: Any) -> Identity:
        """Who is asking; raises `UnauthenticatedError` or, for a cookie without our Origin, `ForbiddenError`."""
        if any(headers.values(scope, b"authorization")):
            return await self.by_bearer(scope)
        ticket = next((p for p in scope.get("subprotocols", ()) if p.startswith(TICKET_PROTOCOL)), None)
        if ticket is not None:
            return await self._by_ticket(scope, ticket.removeprefix(TICKET_PROTOCOL))
        return await self._by_cookie(scope)

    async def holds(self, identity: Identity) -> bool:
        """Whether an identity would still be let in."""
        try:
            if identity.cookie is not None:
                return await self._core.signins.is_signed_in(identity.cookie)
            if identity.port_cookie is not None:
                return await self._core.signins.ports.is_signed_in(identity.port_cookie)
            if identity.credentials is not None:
                return await self._authenticate(identity.credentials) is not None
        except UnauthenticatedError:
            return False
        return True

    def cookies(self, scope: Any) -> list[str]:
        """The values of our cookie. Several when a page of another port planted one beside it."""
        return cookies_named(scope, self.cookie_name(scope))

    def ticket_bond(self, scope: Any) -> str:
        """What a ticket is bound to: the origin that asked for it, and the sign-in of its browser."""
        arrival: Arrival = scope[ARRIVAL]
        return f"{arrival.origin} {hashlib.sha256(';'.join(self.cookies(scope)).encode()).hexdigest()}"

    async def by_bearer(self, scope: Any) -> Identity:
        """Who has the token of the Authorization header; raises `UnauthenticatedError` when nobody has."""
        scheme, _, token = (headers.single(scope, b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError("the Authorization header is not `Bearer <token>`", hint="send exactly one")
        credentials = Credentials(bearer=token.strip(), peer=peer(scope))
        principal = await self._authenticate(credentials)
        if principal is None:
            raise UnauthenticatedError("this token is not known here")
        return Identity(principal, credentials=credentials)

    async def _by_ticket(self, scope: Any, ticket: str) -> Identity:
        principal = await self._core.signins.redeem_ticket(ticket, bound=self.ticket_bond(scope))
        for cookie in self.cookies(scope):
            if await self._core.signins.is_signed_in(cookie):
                return Identity(principal, cookie=cookie)
        return Identity(principal)

    async def _by_cookie(self, scope: Any) -> Identity:
        secret = headers.single(scope, SECRET_HEADER)
        cookies = self.cookies(scope)
        if not cookies or secret is None:
            raise UnauthenticatedError(
                "nobody is signed in here" if not cookies else "the cookie alone opens nothing",
                hint="run `sac console` for a link, or send `Authorization: Bearer <token>` "
                "with SAC_TOKEN or the file `token` of the data directory",
            )
        _require_own_page(scope)
        return await self._of_sign_in(cookies, secret)

    async def _of_sign_in(self, cookies: list[str], secret: str) -> Identity:
        refused: UnauthenticatedError | None = None
        for cookie in cookies:
            try:
                return Identity(await self._core.signins.authenticate(cookie, secret), cookie=cookie)
            except UnauthenticatedError as error:
                refused = error
        raise refused or UnauthenticatedError("nobody is signed in here")


def _require_own_page(scope: Any) -> None:
    if scope["type"] == "http" and scope["method"] in _SAFE:
        return
    arrival: Arrival = scope[ARRIVAL]
    site = headers.single(scope, b"sec-fetch-site")
    if not arrival.origin or site not in (None, "same-origin"):
        raise ForbiddenError(
            "a change by cookie needs the Origin of SAC's own page", reason="OriginNotAllowed", field="Origin"
        )


def cookies_named(scope: Any, name: str) -> list[str]:
    """The values of a cookie, at most `_MOST_COOKIES`."""
    parts = ";".join(value.decode("latin-1") for value in headers.values(scope, b"cookie")).split(";")
    found = [part.strip().removeprefix(f"{name}=") for part in parts if part.strip().startswith(f"{name}=")]
    return found[:_MOST_COOKIES]


def peer(scope: Any) -> str:
    """The peer's address; empty for a unix socket."""
    client = scope.get("client")
    return client[0] if client else ""
