"""The data directory as the command sees it: where its server is, and the token for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sac_core.cli.arguments import Common
from sac_core.errors import ConfigurationError
from sac_core.settings import Settings, load_settings

SERVER_FILE = "server.json"
TOKEN_FILE = "token"
KEY_FILE = "key"
LOG_FILE = "server.log"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is. ``pid`` and ``version`` are 0 and empty when it is not that of a data directory."""

    url: str
    socket: Path | None = None
    token: str | None = field(default=None, repr=False)
    pid: int = 0
    version: str = ""


def settings_of(common: Common, **more: Any) -> Settings:
    """The settings, with what the command line says on top."""
    return load_settings(server=common.server, token=common.token, data_dir=common.data_dir, **more)


def announced(folder: Path) -> Server | None:
    """The server that ``server.json`` tells of; it may have been killed since."""
    try:
        data = json.loads((folder / SERVER_FILE).read_text())
        socket = Path(data["socket"]) if data.get("socket") else None
        return Server(data["url"], socket, read_token(folder), int(data["pid"]), str(data["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_token(folder: Path) -> str | None:
    """The local token; None before the first start. Raises `ConfigurationError` when it may not be read."""
    try:
        return (folder / TOKEN_FILE).read_text().strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {folder / TOKEN_FILE}: {error.strerror}",
            field="SAC_DATA_DIR",
            hint="use the data directory of your own user",
        ) from None


def named(settings: Settings) -> Server | None:
    """The server that the settings name; the data directory's token serves when its own server is meant."""
    if settings.server is None:
        return None
    url = settings.server.rstrip("/")
    token = settings.token.get_secret_value() if settings.token else None
    local = announced(settings.data_dir)
    if token is None and local is not None and local.url == url:
        token = local.token
    return Server(url, None, token)
