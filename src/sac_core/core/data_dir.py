"""The data directory: private to its user, with the local token that the command uses."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from sac_core.errors import ConfigurationError

TOKEN_FILE = "token"


def make_private(folder: Path) -> Path:
    """The folder, made when it is missing, with mode 0700; raises `ConfigurationError` when that cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise ConfigurationError(
                f"{folder} belongs to another user", field="SAC_DATA_DIR", hint="give a folder of your own"
            )
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"cannot use {folder}: {error.strerror}", field="SAC_DATA_DIR", hint="give a folder that you may write to"
        ) from None
    return folder.resolve()


def local_token(folder: Path) -> SecretStr:
    """The local token of a data directory, made at the first start; whoever can read the file is the local user."""
    path = folder / TOKEN_FILE
    try:
        known = path.read_text().strip()
    except FileNotFoundError:
        known = ""
    return SecretStr(known if len(known) >= 32 else _write(path))


def _write(path: Path) -> str:
    token = f"sac_local_{secrets.token_urlsafe(32)}"  # never begins with a dash: it is an argument on command lines
    new = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)
    new.replace(path)
    return token
