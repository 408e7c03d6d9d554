"""The sockets of local mode: TCP on loopback, and a unix socket in the data directory."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sac_core.errors import ConfigurationError
from sac_core.server.announce import read_announced
from sac_core.settings import Settings

MAX_UNIX_PATH: Final = 100
BACKLOG: Final = 2048
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that can be listened on and not asked, and those that can."""


def listen_tcp(settings: Settings) -> socket.socket:
    """A listening socket; raises `ConfigurationError` that names the port and the way out when it is taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ConfigurationError(f"cannot listen on {settings.host!r}: {error.strerror}", field="SAC_HOST") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # now, so that the port is ours while the rest is opened
    except OSError as error:
        listener.close()
        raise _not_listening(settings, error) from None
    listener.setblocking(False)
    return listener


def _not_listening(settings: Settings, error: OSError) -> ConfigurationError:
    if error.errno != errno.EADDRINUSE:
        return ConfigurationError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}", field="SAC_PORT"
        )
    running = read_announced(settings.data_dir)
    if str(running.get("url", "")).endswith(f":{settings.port}"):
        return ConfigurationError(
            f"SAC is already running for this data directory at {running['url']} (process {running.get('pid')})",
            field="SAC_PORT",
            hint="use it: sac console; or end it first",
        )
    return ConfigurationError(
        f"port {settings.port} is taken by another program",
        field="SAC_PORT",
        hint="choose another: SAC_PORT=8766, or sac up --port 8766; 0 takes a free one",
    )


@contextmanager
def listen_unix(folder: Path) -> Iterator[socket.socket | None]:
    """A listening unix socket of mode 0600; None where its path would be too long. Only under the folder's lock."""
    path = folder / "sac.sock"
    if len(os.fsencode(path)) > MAX_UNIX_PATH:
        yield None
        return
    path.unlink(missing_ok=True)  # a server that was killed left it behind
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        path.chmod(0o600)  # its folder is 0700 already
        listener.listen(BACKLOG)
        listener.setblocking(False)
        ours = path.stat().st_ino
        try:
            yield listener
        finally:
            with suppress(FileNotFoundError):
                if path.stat().st_ino == ours:  # else the folder was replaced, and it may be another server's
                    path.unlink()


def is_loopback(host: str) -> bool:
    """Whether a host names this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_of(listener: socket.socket) -> str:
    """The address of a listening TCP socket, as a browser on this machine takes it."""
    host, port = listener.getsockname()[:2]
    host = _EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
