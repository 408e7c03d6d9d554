"""Which headers pass between a client and a body: none that is of one connection alone, and none that is SAC's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from sac_core.errors import LostError
from sac_core.server.headers import Header
from sac_core.server.hosts import Authority

_HOP: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection",
        b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_ABOUT_THE_WAY: Final = (b"x-forwarded-", b"x-sac-")
_NOT_ASKED: Final = frozenset({b"expect", b"forwarded", b"x-real-ip", b"x-client-ip", b"true-client-ip"})
_NOT_ANSWERED: Final = frozenset({b"alt-svc", b"clear-site-data", b"date", b"public-key-pins"})
"""What a body may not say: it would reach other hosts of the domain, or other servers. Our own server says the date."""
_EMPTY: Final = (204, 304)
_NO_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OUR_COOKIES: Final = (b"sac-", b"__host-sac-", b"__secure-sac-")


def to_body(given: Iterable[Header], authority: Authority, peer: str, *, authorization: bool) -> list[Header]:
    """The headers of a request as the body gets them. ``authorization``: that header is the body's, not ours."""
    given = list(given)
    dropped = _HOP | _NOT_ASKED | _named(given) | (frozenset() if authorization else {b"authorization"})
    kept = [
        (name, value)
        for name, value in given
        if name not in dropped and name != b"cookie" and not name.startswith(_ABOUT_THE_WAY)
    ]
    return [*_framed(given, kept), *_cookies(given), *_way(authority, peer)]


def from_body(status: int, given: Iterable[Header]) -> list[Header]:
    """The headers of an answer as the client gets them; names in lower case.

    Raises `LostError` for an answer that no server may pass on.
    """
    if not 200 <= status < 600:
        raise LostError(f"the agent's server answered with the status {status}", reason="BadAnswer")
    given = [(name.lower(), value) for name, value in given]
    unsized = status in _EMPTY or any(name == b"transfer-encoding" for name, _ in given)
    dropped = _HOP | _NOT_ANSWERED | _named(given) | (frozenset({b"content-length"}) if unsized else frozenset())
    kept = [(name, value) for name, value in given if name not in dropped]
    if any(_NO_VALUE.search(value) for _, value in kept):
        raise LostError("the agent's server answered with a control character in a header", reason="BadAnswer")
    return [header for each in kept for header in _confined(each)]


def _framed(given: Iterable[Header], kept: Iterable[Header]) -> Iterator[Header]:
    """What comes in pieces of its own sizes goes on in such; a length beside them counts for nothing."""
    pieces = any(name == b"transfer-encoding" for name, _ in given)
    yield from (header for header in kept if not (pieces and header[0] == b"content-length"))
    if pieces:
        yield b"transfer-encoding", b"chunked"


def _named(given: Iterable[Header]) -> frozenset[bytes]:
    """The headers that a Connection header makes its own."""
    values = b",".join(value for name, value in given if name == b"connection")
    return frozenset(part.strip().lower() for part in values.split(b",")) - {b"host", b""}


def _way(authority: Authority, peer: str) -> Iterator[Header]:
    yield b"x-forwarded-host", authority.text.encode()
    yield b"x-forwarded-proto", authority.scheme.encode()
    if peer:
        yield b"x-forwarded-for", peer.encode()


def _cookies(given: Iterable[Header]) -> Iterator[Header]:
    """Those that are not ours, in one header."""
    parts = b";".join(value for name, value in given if name == b"cookie").split(b";")
    kept = [part.strip() for part in parts if part.strip() and not _is_ours(part)]
    if kept:
        yield b"cookie", b"; ".join(kept)


def _confined(header: Header) -> Iterator[Header]:
    """A cookie stays at the host name that set it, and does not take the name of ours."""
    name, value = header
    if name != b"set-cookie":
        yield header
    elif not _is_ours(value):
        parts = value.split(b";")
        yield name, b";".join([parts[0], *(part for part in parts[1:] if not _is_domain(part))])


def _is_ours(cookie: bytes) -> bool:
    """A cookie without a name is sent as its value alone, which then looks like a name."""
    return cookie.strip().lstrip(b"=").lstrip().lower().startswith(_OUR_COOKIES)


def _is_domain(attribute: bytes) -> bool:
    return attribute.partition(b"=")[0].strip().lower() == b"domain"
