"""Which Host a request may name, and the one Origin that goes with it. No decision is taken from a request's URL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from sac_core.errors import ConfigurationError, ForbiddenError, InvalidError

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
UNIX: Final = frozenset({"sac", "localhost"})
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::([0-9]{1,5}))?\Z")
_SCHEMES: Final = ("https", "http")
_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Authority(NamedTuple):
    """A Host header's name and port; ``port`` is the scheme's own when the header names none."""

    name: str
    port: int
    scheme: str

    @property
    def text(self) -> str:
        """As a browser writes it: without the port when it is the scheme's own."""
        return self.name if self.port == _PORTS[self.scheme] else f"{self.name}:{self.port}"

    @property
    def origin(self) -> str:
        """The origin of a page that came from here."""
        return f"{self.scheme}://{self.text}"

    @property
    def sockets(self) -> str:
        """The same for WebSockets."""
        return f"{'wss' if self.scheme == 'https' else 'ws'}://{self.text}"


@lru_cache(maxsize=256)
def parse_authority(text: str, scheme: str) -> Authority | None:
    """A Host header's value; None when it is malformed."""
    match = _AUTHORITY.match(text.lower())
    if match is None:
        return None
    port = int(match[2]) if match[2] else _PORTS[scheme]
    return Authority(match[1], port, "https" if _PORTS[scheme] == 443 else "http") if 0 < port < 65536 else None


class Hosts:
    """The allow-list. None means the loopback names, at the port that the request came in by.

    ``origins`` are allowed besides. At one with https a proxy ends TLS: requests come without it, and say so nowhere
    that could be believed.
    """

    def __init__(self, allowed: Sequence[str] | None = None, origins: Sequence[str] = ()) -> None:
        self._allowed = None if allowed is None else frozenset(_checked(allowed))
        self._outside = frozenset(map(_outside, origins))

    def admit(self, headers: Iterable[bytes], scheme: str, bound: int | None) -> Authority:
        """The authority of the one Host header; raises `InvalidError` when there is none, or it is not allowed.

        ``bound`` is the port of the listening socket, None for a unix socket.
        """
        values = list(headers)
        text = values[0].decode("latin-1") if len(values) == 1 else ""
        outside = next((one for one in map(parse_authority, (text, text), _SCHEMES) if one in self._outside), None)
        if outside is not None:
            return outside
        authority = parse_authority(text, scheme)
        if authority is None or not self._allows(authority, bound):
            raise InvalidError(
                "this server does not answer to that Host",
                reason="HostNotAllowed",
                field="Host",
                hint="use http://127.0.0.1 or http://localhost with the server's port; others are named in "
                "SAC_ORIGINS, or by an app that embeds SAC: create_app(..., hosts=[...])",
            )
        return authority

    def _allows(self, authority: Authority, bound: int | None) -> bool:
        if self._allowed is not None:
            return bool(self._allowed & {authority.name, f"{authority.name}:{authority.port}"})
        if bound is None:
            return authority.name in UNIX
        return authority.name in LOOPBACK and authority.port == bound


def _checked(allowed: Sequence[str]) -> list[str]:
    for host in allowed:
        if parse_authority(host, "http") is None:
            raise ConfigurationError(
                f"{host!r} is not a host name", field="hosts", hint="use names such as sac.example.com"
            )
    return [host.lower() for host in allowed]


def _outside(origin: str) -> Authority:
    scheme, _, rest = origin.partition("://")
    authority = parse_authority(rest, scheme) if scheme in _SCHEMES else None
    if authority is None:
        hint = "use addresses such as https://sac.example.com"
        raise ConfigurationError(f"{origin!r} is not an origin", field="SAC_ORIGINS", hint=hint)
    return authority


def check_origin(origins: Iterable[bytes], authority: Authority) -> str:
    """The Origin header, empty when there is none; raises `ForbiddenError` unless it is exactly our own."""
    values = list(origins)
    if not values:
        return ""
    own = authority.origin
    if len(values) > 1 or values[0].decode("latin-1") != own:
        raise ForbiddenError(
            "a page of another origin may not ask here",
            reason="OriginNotAllowed",
            field="Origin",
            hint=f"only {own} may",
        )
    return own
