"""The host names of ports: made, and found in a request's Host header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from sac_core.server.hosts import Authority, parse_authority

LOCAL: Final = "localhost"
_LABEL: Final = re.compile(r"p([1-9][0-9]{0,4})-([a-z0-9]{1,50})\Z")


def names_a_port(host: str) -> bool:
    """Whether a Host looks like one of a port, whatever its domain is."""
    return _LABEL.match(host.lower().partition(".")[0]) is not None


class PortHost(NamedTuple):
    """A Host that names a port of the agent with this uid."""

    port: int
    uid: str
    authority: Authority


class PortHosts:
    """The names below one domain. Below ``localhost`` they are served without TLS, below any other with it."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.local = domain == LOCAL

    def name(self, uid: str, port: int) -> str:
        """The host name of a port."""
        return f"p{port}-{uid}.{self.domain}"

    def origin(self, uid: str, port: int, listening: int) -> str:
        """Where a browser finds it; ``listening`` is the port of this server, which counts on this machine only."""
        name = self.name(uid, port)
        return f"http://{name}:{listening}" if self.local else f"https://{name}"

    def cookie(self) -> str:
        """The name of the sign-in's cookie: with TLS, one that no other host of the domain can set."""
        return "sac-port" if self.local else "__Host-sac-port"

    def find(self, hosts: Iterable[bytes], bound: int | None) -> PortHost | None:
        """The port that the one Host header names; None when it names none.

        ``bound`` is the port of the listening socket, None for a unix socket.
        """
        values = list(hosts)
        if len(values) != 1 or values[0][:1] not in (b"p", b"P"):  # the second for speed: most requests are the API's
            return None
        authority = parse_authority(values[0].decode("latin-1"), "http" if self.local else "https")
        if authority is None or (self.local and bound not in (None, authority.port)):
            return None
        label, _, domain = authority.name.partition(".")
        match = _LABEL.match(label)
        if match is None or domain != self.domain or int(match[1]) > 65535:
            return None
        return PortHost(int(match[1]), match[2], authority)
