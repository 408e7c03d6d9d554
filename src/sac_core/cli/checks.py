"""What `sac doctor` looks at: the data directory by itself, the rest by asking the server."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sac_core import __version__
from sac_core.cli.connecting import open_server
from sac_core.cli.database_file import database_findings
from sac_core.cli.place import KEY_FILE, LOG_FILE, TOKEN_FILE, Server, announced, named
from sac_core.client.surface import HttpSac
from sac_core.errors import SacError
from sac_core.models.body import Finding
from sac_core.settings import Settings

LOW_DISK = 1 << 30
NO_DISK = 64 << 20
CLOCKS_APART = 30.0
"""Seconds."""


def data_dir_findings(settings: Settings) -> Iterator[Finding]:
    """The data directory: there, private, with room."""
    yield Finding(level="ok", check="sac", message=f"version {__version__}, Python {sys.version.split()[0]}")
    folder = settings.data_dir
    if not folder.exists():
        yield Finding(level="ok", check="data directory", message=f"{folder} is made at the first start")
        return
    yield _permissions(folder)
    if (folder / TOKEN_FILE).exists():
        yield _token(folder / TOKEN_FILE)
    yield _root_key(settings)
    yield _disk(folder)
    yield from database_findings(folder)


def _permissions(folder: Path) -> Finding:
    check = "data directory"
    found = folder.stat()
    if found.st_uid != os.getuid():
        advice = "use a data directory of your own: SAC_DATA_DIR"
        return Finding(level="error", check=check, message=f"{folder} belongs to another user", advice=advice)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(level="error", check=check, message=f"{folder} cannot be written", advice=f"chmod 700 {folder}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        message = f"{folder} is open to other users of this machine"
        return Finding(level="error", check=check, message=message, advice=f"chmod 700 {folder}")
    return Finding(level="ok", check=check, message=str(folder))


def _token(path: Path) -> Finding:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        advice = f"remove {path} and restart the server: a new one is made"
        return Finding(level="error", check="token", message=f"{path} can be read by others", advice=advice)
    return Finding(level="ok", check="token", message="private")


def _root_key(settings: Settings) -> Finding:
    """Where the root keys are; SAC's own file has to be private and is worth a copy elsewhere."""
    check, own = "root key", settings.data_dir / KEY_FILE
    if settings.keys is not None:
        return Finding(level="ok", check=check, message="given by SAC_KEYS")
    path = settings.keys_file or own
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding(level="error", check=check, message=f"{path} can be read by others", advice=f"chmod 600 {path}")
    if settings.keys_file is not None:
        return Finding(level="ok", check=check, message=f"given by SAC_KEYS_FILE: {path}")
    if not own.exists():
        return Finding(level="ok", check=check, message=f"{own} is made at the first start")
    return Finding(level="ok", check=check, message=f"{own}; without it secrets cannot be read: keep a copy elsewhere")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    message = f"{free >> 20} MiB free"
    if free < NO_DISK:
        return Finding(level="error", check="disk", message=message, advice="make room: SAC can write nothing more")
    if free < LOW_DISK:
        return Finding(level="warning", check="disk", message=message, advice="make room")
    return Finding(level="ok", check="disk", message=message)


async def server_findings(settings: Settings) -> list[Finding]:
    """The server: alive, of our version, and what it says of itself."""
    server = named(settings) or announced(settings.data_dir)
    if server is None:
        return [Finding(level="ok", check="server", message="none runs; commands start one when they need it")]
    try:
        async with open_server(server) as sac:
            return [_alive(server), *await _told(sac)]
    except SacError as error:
        return [_dead(settings, server, error)]


def _alive(server: Server) -> Finding:
    where = f" (process {server.pid})" if server.pid else ""
    return Finding(level="ok", check="server", message=f"{server.url} answers{where}")


def _dead(settings: Settings, server: Server, error: SacError) -> Finding:
    if settings.server is not None:
        return Finding(level="error", check="server", message=error.message, advice=error.hint or "")
    advice = f"any command starts it again; if it does not stay, see {settings.data_dir / LOG_FILE}"
    return Finding(level="warning", check="server", message=f"process {server.pid} ended without a word", advice=advice)


async def _told(sac: HttpSac) -> list[Finding]:
    status = await sac.status()
    loaded = sum(plugin.state == "loaded" for plugin in await sac.plugins())
    plugins = Finding(level="ok", check="plugins", message=f"{loaded} loaded")
    return [_version(status.version), *_clock(status.time), plugins, *status.findings]


def _clock(theirs: datetime | None) -> Iterator[Finding]:
    """Ages and expiries are wrong where clocks differ."""
    apart = abs((datetime.now(UTC) - theirs).total_seconds()) if theirs else 0.0
    if apart > CLOCKS_APART:
        message = f"the server's clock and the one here are {apart:.0f} s apart"
        yield Finding(level="warning", check="clock", message=message, advice="set both, best by NTP")


def _version(theirs: str) -> Finding:
    if theirs == __version__:
        return Finding(level="ok", check="version", message=f"server and command are {theirs}")
    message = f"the server is {theirs}, this command {__version__}"
    advice = "restart the server: sac down, then any command; agents go on"
    return Finding(level="warning", check="version", message=message, advice=advice)
