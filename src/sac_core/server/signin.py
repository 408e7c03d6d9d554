"""Signing in and out of the console, who am I, tickets for sockets, codes for links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field
from starlette.responses import Response
from starlette.types import ASGIApp

from sac_core.models.base import Model, parse
from sac_core.models.principal import Principal
from sac_core.server.answers import document
from sac_core.server.call import Call
from sac_core.server.door import ARRIVAL
from sac_core.server.identity import COOKIE_AGE
from sac_core.server.route import PUBLIC, SIGNED_IN, Route


class Code(Model):
    """The single-use code of a sign-in link's fragment."""

    code: str = Field(max_length=256)


class Me(Model):
    """Who asks, in which tenant by default and in which at most, and what it may."""

    id: str
    kind: str
    name: str
    tenant: str
    tenants: tuple[str, ...]
    permissions: tuple[str, ...]


class SignedInNow(Model):
    """The half of a sign-in that the page keeps; it goes as header X-SAC-Secret with every request."""

    secret: str
    principal: Me


class Ticket(Model):
    """A ticket for one socket: second subprotocol ``sac.ticket.<ticket>``, valid once, for 30 seconds."""

    ticket: str


def sign_in_routes() -> Iterator[Route]:
    """The routes of this module."""
    yield Route("POST", "/api/v1/signin", PUBLIC, sign_in, "Sign in with a code", body=Code, returns=SignedInNow)
    yield Route("POST", "/api/v1/signout", SIGNED_IN, sign_out, "Sign out this browser")
    yield Route("GET", "/api/v1/me", SIGNED_IN, me, "Who am I", returns=Me)
    yield Route("POST", "/api/v1/tickets", SIGNED_IN, ticket, "A ticket for one socket", returns=Ticket, status=201)
    yield Route(
        "POST", "/api/v1/signin-codes", "signins:create", sign_in_code, "A code for a sign-in link",
        returns=Code, status=201,
    )  # fmt: skip


async def sign_in(call: Call) -> ASGIApp:
    """Answers with the secret, and sets the cookie; neither opens anything alone."""
    code = parse(Code, await call.body()).code
    signed_in = await call.site.core.signins.redeem_code(code)
    response = document(SignedInNow(secret=signed_in.secret, principal=_who(signed_in.principal)))
    _set_cookie(call, response, signed_in.cookie, COOKIE_AGE)
    return response


async def sign_out(call: Call) -> ASGIApp:
    """Forgets the sign-in and ends what it has open. With a bearer token there is nothing to forget."""
    cookie = call.known.cookie
    response = document({})
    if cookie is not None:
        await call.site.core.signins.sign_out(cookie)
        call.site.live.end_sign_in(cookie)
        _set_cookie(call, response, "", 0)
    return response


async def me(call: Call) -> ASGIApp:
    return document(_who(call.known.principal))


async def ticket(call: Call) -> ASGIApp:
    bound = call.site.identifier.ticket_bond(call.scope)
    issued = await call.site.core.signins.issue_ticket(call.known.principal, bound=bound)
    return document(Ticket(ticket=issued), 201)


async def sign_in_code(call: Call) -> ASGIApp:
    return document(Code(code=await call.site.core.signins.issue_code(call.known.principal)), 201)


def _who(principal: Principal) -> Me:
    return Me(
        id=principal.id,
        kind=principal.kind,
        name=principal.name,
        tenant=principal.tenant,
        tenants=tuple(sorted(principal.tenants)),
        permissions=tuple(sorted(principal.permissions)),
    )


def _set_cookie(call: Call, response: Response, value: str, age: int) -> None:
    scope: Any = call.scope
    response.set_cookie(
        call.site.identifier.cookie_name(scope),
        value,
        max_age=age,
        path=scope.get("root_path") or "/",
        secure=scope[ARRIVAL].authority.scheme == "https",
        httponly=True,
        samesite="strict",
    )
