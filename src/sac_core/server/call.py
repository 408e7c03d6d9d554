"""One admitted request: who asks, for what, with which parameters and body."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from sac_core.contracts.sac import Sac
from sac_core.errors import ForbiddenError, InvalidError, UnauthenticatedError
from sac_core.server import headers
from sac_core.server.bodies import read_object
from sac_core.server.identity import Identity, peer
from sac_core.server.route import PUBLIC, SIGNED_IN, Route

if TYPE_CHECKING:
    from sac_core.server.site import Site

MAX_VALUE = 4096


class Call:
    """A request after the door. ``sac`` is the surface in the name of who asks and in the tenant asked for."""

    __slots__ = ("_sac", "identity", "query", "receive", "scope", "send", "site")

    def __init__(self, site: Site, scope: Scope, receive: Receive, send: Send, query: dict[str, str]) -> None:
        self.site = site
        self.scope = scope
        self.receive = receive
        self.send = send
        self.query = query
        self.identity: Identity | None = None
        self._sac: Sac | None = None

    @property
    def sac(self) -> Sac:
        if self._sac is None:
            raise UnauthenticatedError("nobody is signed in here")
        return self._sac

    @property
    def known(self) -> Identity:
        """Who asks; on a public route `UnauthenticatedError`."""
        if self.identity is None:
            raise UnauthenticatedError("nobody is signed in here")
        return self.identity

    @property
    def name(self) -> str:
        """The path's name."""
        return str(self.scope["path_params"]["name"])

    def enter(self, identity: Identity, tenant: str | None) -> None:
        """Take the surface of a principal; raises `NotFoundError` for a tenant that is not its own."""
        self.identity = identity
        self._sac = self.site.core.sac(identity.principal, tenant, origin=_origin(self.scope, identity))

    def header(self, name: bytes) -> str | None:
        """A header that came exactly once."""
        return headers.single(self.scope, name)

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false; absent is false."""
        value = self.query.get(name, "false").lower()
        if value not in ("true", "false", "1", "0"):
            raise InvalidError(f"{value[:40]!r} is neither true nor false", field=name)
        return value in ("true", "1")

    def whole(self, name: str) -> int | None:
        """A query parameter that is a whole number of 0 or more; None when absent."""
        value = self.query.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            raise InvalidError(f"{value[:40]!r} is not a whole number", field=name)
        return int(value)

    async def body(self) -> dict[str, Any]:
        """The body, a JSON object."""
        return await read_object(self.scope, self.receive)


async def admit(site: Site, route: Route, scope: Scope, receive: Receive, send: Send) -> Call:
    """Credential, tenant, permission, parameters, in this order; raises the error of the first that fails."""
    identity = None if route.permission == PUBLIC else await site.identifier.identify(scope)
    query = parse_query(scope["query_string"], raw=route.raw)
    tenant = query.pop("namespace", None) if identity else None
    call = Call(site, scope, receive, send, query)
    if identity is not None:
        call.enter(identity, tenant)
        _require(identity, route.permission)
    unknown = sorted(set(query) - set(route.query))
    if unknown:
        known = ", ".join(sorted({*route.query, *(("namespace",) if identity else ())})) or "none"
        raise InvalidError("no such query parameter", field=unknown[0][:80], hint=f"known here: {known}")
    return call


def _origin(scope: Scope, identity: Identity) -> str:
    """Where a request came from, for people."""
    if identity.cookie is not None:
        return "in the console"
    address = peer(scope)
    return f"over HTTP from {address}" if address else "over the unix socket"


def _require(identity: Identity, permission: str) -> None:
    if permission != SIGNED_IN and not identity.principal.may(permission):
        raise ForbiddenError(f"{identity.principal.id} may not do this", hint=f"it needs the permission {permission}")


def parse_query(text: bytes, *, raw: Collection[str] = ()) -> dict[str, str]:
    """A query string; raises `InvalidError` for what is malformed or there twice.

    The parameters ``raw`` may hold bytes that are no UTF-8: they become surrogate escapes.
    """
    if not text:
        return {}
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="surrogateescape", max_num_fields=32)
        for name, value in pairs:
            (name if name in raw else name + value).encode()
    except ValueError:
        raise InvalidError("the query string is malformed", field="query") from None
    query = dict(pairs)
    if len(query) != len(pairs):
        raise InvalidError("a query parameter is there twice", field="query")
    if any(len(value) > MAX_VALUE for value in query.values()):
        raise InvalidError(f"a query parameter is longer than {MAX_VALUE} characters", field="query")
    return query
