"""Where an engine is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sac_core.errors import ConfigurationError

_PORT, _TLS_PORT = 2375, 2376


@dataclass(frozen=True, slots=True)
class Address:
    """``host`` as the SDK takes it; ``socket`` is the path of a unix socket, ``tls`` a folder of certificates."""

    host: str
    socket: str | None = None
    tls: Path | None = None

    @property
    def url(self) -> str:
        """The base of HTTP requests."""
        if self.socket is not None:
            return "http://docker"
        return self.host.replace("tcp://", "https://" if self.tls else "http://", 1)

    @property
    def owner(self) -> int | None:
        """The user whose socket it is; None for another kind of address, or without one."""
        try:
            return None if self.socket is None else Path(self.socket).stat().st_uid
        except OSError:
            return None

    @property
    def local(self) -> bool:
        """Whether folders of this machine are folders of the engine's."""
        return self.socket is not None


def find_address(host: str | None, tls: Path | None) -> Address:
    """Where the engine is: as set, else as DOCKER_HOST and its kin say, else at the first usual place that is there."""
    if host is None and tls is None and os.environ.get("DOCKER_TLS_VERIFY"):
        tls = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    host = host or os.environ.get("DOCKER_HOST") or _usual()
    scheme, _, rest = host.rpartition("://")
    if scheme in ("unix", "") and rest.startswith("/"):
        return Address(f"unix://{rest}", socket=rest)
    if scheme == "tcp":
        return Address(_with_port(host, tls is not None), tls=tls)
    raise _no_engine(host)


def _usual() -> str:
    """The sockets of an engine of the machine's, of a rootless one, and of Docker Desktop."""
    places = list(_places())
    return next((f"unix://{place}" for place in places if place.exists()), f"unix://{places[0]}")


def _places() -> Iterator[Path]:
    yield Path("/var/run/docker.sock")
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "docker.sock"
    yield Path.home() / ".docker" / "run" / "docker.sock"


def _with_port(host: str, tls: bool) -> str:
    try:
        parts = urlsplit(host)
        port = parts.port or (_TLS_PORT if tls else _PORT)
    except ValueError:
        raise _no_engine(host) from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise _no_engine(host)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"tcp://{name}:{port}"


def _no_engine(host: str) -> ConfigurationError:
    return ConfigurationError(
        f"{host!r} is no engine", field="plugins.docker.host", hint="give unix:///path/of/socket or tcp://host:port"
    )
