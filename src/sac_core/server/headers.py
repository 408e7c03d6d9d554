"""The headers that every answer carries, and reading those of a request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from sac_core.server.hosts import Authority

_FIXED: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"clipboard-read=(), camera=(), microphone=(), geolocation=()"),
)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' {sockets}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'"
)
Header = tuple[bytes, bytes]


def values(scope: Any, name: bytes) -> Iterator[bytes]:
    """Every value of a request header, in order; ``name`` in lower case."""
    return (value for key, value in scope["headers"] if key == name)


def single(scope: Any, name: bytes) -> str | None:
    """The value of a header that came exactly once."""
    found = list(values(scope, name))
    return found[0].decode("latin-1") if len(found) == 1 else None


@lru_cache(maxsize=64)
def security_headers(authority: Authority | None) -> tuple[Header, ...]:
    """The fixed headers and the content security policy; without a known host, sockets are allowed nowhere."""
    policy = _POLICY.format(sockets=authority.sockets if authority else "").replace("'self' ;", "'self';")
    transport = ((b"strict-transport-security", b"max-age=31536000"),)
    https = authority is not None and authority.scheme == "https"
    return (*_FIXED, (b"content-security-policy", policy.encode()), *(transport if https else ()))


def complete(given: list[Header], authority: Authority | None, request_id: str) -> list[Header]:
    """The headers of an answer: what the handler gave, and what all have. Caches keep nothing unless it says so."""
    cached = any(key == b"cache-control" for key, _ in given)
    fresh: tuple[Header, ...] = () if cached else ((b"cache-control", b"no-store"),)
    return [*given, *security_headers(authority), *fresh, (b"x-request-id", request_id.encode())]
