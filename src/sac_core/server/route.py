"""A route as data: method, path, permission, what it takes and returns. The table of all is what is served."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel
from starlette.types import ASGIApp

from sac_core.errors import ConfigurationError

if TYPE_CHECKING:
    from sac_core.server.call import Call
    from sac_core.server.sockets import Socket

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "WS"]
Handler = Callable[["Call"], Awaitable[ASGIApp]]
SocketHandler = Callable[["Call", "Socket"], Awaitable[None]]

PUBLIC: Final = "public"
"""Anyone may ask."""
SIGNED_IN: Final = "signed-in"
"""Any principal may ask; what it sees is decided below."""

_PERMISSION: Final = re.compile(r"[a-z0-9-]+:[a-z0-9*-]+\Z")


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path. ``WS`` is a WebSocket, whose ``subprotocol`` clients must ask for.

    ``permission`` is ``<plural>:<verb>``, `SIGNED_IN` or `PUBLIC`; ``query`` the parameters that it knows besides
    ``namespace``, which every route but a public one takes; ``raw`` those that may hold bytes that are no UTF-8, as
    surrogate escapes. ``takes`` is the media type of a body that is not JSON.
    """

    method: Method
    path: str
    permission: str
    handler: Handler | SocketHandler
    summary: str
    query: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    takes: str = ""
    body: type[BaseModel] | None = None
    returns: type[BaseModel] | None = None
    status: int = 200
    media_type: str = "application/json"
    subprotocol: str = ""
    documented: bool = True


def checked(table: Iterable[Route]) -> tuple[Route, ...]:
    """The table, when every route says who may use it and none is there twice; else raises `ConfigurationError`."""
    seen: set[tuple[str, str]] = set()
    routes = tuple(table)
    for route in routes:
        where = f"{route.method} {route.path}"
        if route.permission not in (PUBLIC, SIGNED_IN) and not _PERMISSION.match(route.permission or ""):
            raise ConfigurationError(f"the route {where} does not say which permission it needs", field="permission")
        if (route.method, route.path) in seen:
            raise ConfigurationError(f"the route {where} is there twice", hint="two kinds have the same plural")
        if (route.method == "WS") != bool(route.subprotocol):
            raise ConfigurationError(f"the route {where} needs a subprotocol if, and only if, it is a WebSocket")
        seen.add((route.method, route.path))
    return routes


def parameters(path: str) -> list[str]:
    """The names of a path's parameters."""
    return re.findall(r"{(\w+)", path)


def plain(path: str) -> str:
    """A path without converters, as OpenAPI writes it."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)


def public_paths(table: Iterable[Route]) -> list[str]:
    """What anyone may ask, for tests and for `describe`."""
    return sorted(f"{route.method} {route.path}" for route in table if route.permission == PUBLIC)
