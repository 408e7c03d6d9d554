"""Where a server is, and whether a token may be sent there."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sac_core.errors import InvalidError

_SECURE = {"http": False, "https": True}


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base URL without a trailing slash, and the unix socket to reach it by, if any."""

    url: str
    socket: Path | None = None

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("https://")

    @property
    def local(self) -> bool:
        """Whether bytes stay on this machine."""
        return self.socket is not None or is_loopback(urlsplit(self.url).hostname or "")

    @property
    def base(self) -> str:
        """What requests are built on: a unix socket has no address, its server answers to ``localhost``."""
        return self.url if self.socket is None else "http://localhost"

    def websocket(self, path: str) -> str:
        """The URL of a WebSocket below the base."""
        return "ws" + self.base.removeprefix("http") + path


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, a name below it, or a loopback address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(url: str, *, socket: Path | None, token: str | None, insecure: bool) -> Address:
    """Check a URL; raises `InvalidError` when it is none, or when a token would cross a network in the clear."""
    parts = urlsplit(url)
    if parts.scheme not in _SECURE or not parts.hostname or parts.username or parts.query or parts.fragment:
        hint = "give scheme, host and port only, for example http://127.0.0.1:8765"
        raise InvalidError(f"{_shown(parts)!r} is not the address of a server", field="url", hint=hint)
    address = Address(url.rstrip("/"), socket)
    if token is not None and not insecure and not address.secure and not address.local:
        raise InvalidError(
            f"the token would cross the network unencrypted to {parts.hostname}",
            field="url",
            hint="use https, or insecure=True where the network itself is trusted",
        )
    return address


def _shown(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
