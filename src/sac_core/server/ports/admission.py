"""Who may come in at the host name of a port: a bearer token, or the cookie of a sign-in at that very port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sac_core.errors import ForbiddenError, UnauthenticatedError
from sac_core.server import headers
from sac_core.server.door import ARRIVAL, Arrival
from sac_core.server.identity import Identity, cookies_named
from sac_core.server.ports.names import PortHost

if TYPE_CHECKING:
    from sac_core.server.site import Site

_OURS: Final = b"sac_"
_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Guest:
    """Who was let in. ``authorization``: that header of the request is for the body, it is no credential of SAC's."""

    identity: Identity
    authorization: bool = False


async def admit(site: Site, host: PortHost, scope: Any) -> Guest:
    """Who asks; raises `UnauthenticatedError` when that is nobody, `ForbiddenError` for a page of another origin.

    A bearer token of SAC's goes before a cookie. With a cookie, any other Authorization header is the body's own.
    """
    given = any(headers.values(scope, b"authorization"))
    refused = _nobody()
    if given:
        try:
            return Guest(await site.identifier.by_bearer(scope))
        except UnauthenticatedError as error:
            refused = error
    identity = await _signed_in(site, host, scope)
    if identity is None or (given and _looks_like_ours(scope)):
        raise refused
    _require_own_page(scope)
    return Guest(identity, authorization=given)


async def _signed_in(site: Site, host: PortHost, scope: Any) -> Identity | None:
    for cookie in cookies_named(scope, site.ports.cookie()):
        principal = await site.core.signins.ports.principal(cookie, host.uid, host.port)
        if principal is not None:
            return Identity(principal, port_cookie=cookie)
    return None


def _looks_like_ours(scope: Any) -> bool:
    """A token of ours that is not valid any more goes to nobody."""
    return any(value.partition(b" ")[2].strip().startswith(_OURS) for value in headers.values(scope, b"authorization"))


def _require_own_page(scope: Any) -> None:
    """A cookie goes with what any page of the domain asks for: only the port's own, and links to it, may use it."""
    arrival: Arrival = scope[ARRIVAL]
    if arrival.origin:
        return
    site, mode, dest = (
        headers.single(scope, name) for name in (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
    )
    safe = scope["type"] == "http" and scope["method"] in _SAFE
    own = site == "same-origin" or (safe and site in (None, "none"))
    if not own and not (safe and mode == "navigate" and dest == "document"):
        raise ForbiddenError("a page of another origin may not ask here", reason="OriginNotAllowed", field="Origin")


def _nobody() -> UnauthenticatedError:
    return UnauthenticatedError(
        "nobody is signed in at this address",
        hint="open it from the agent's page in the console, or with `sac open`; "
        "scripts send `Authorization: Bearer <token>`",
    )
