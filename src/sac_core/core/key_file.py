"""A file of root keys: one in base64 a line, private, changed in one step."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from sac_core.errors import ConfigurationError
from sac_core.store.root_keys import KEY_BYTES

_MAKE = f"make one: openssl rand -base64 {KEY_BYTES}"


def read_keys(path: Path) -> list[bytes]:
    """The root keys of a file: one in base64 a line, the active one first; empty lines and those with # are passed."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"cannot read {path}: {why}", field="SAC_KEYS_FILE") from None
    return list(decoded((line for line in lines if line and not line.startswith("#")), "SAC_KEYS_FILE"))


def write_keys(path: Path, keys: Iterable[bytes]) -> None:
    """Write a file of root keys, mode 0600, in one step that a loss of power leaves done or not done."""
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.writelines(base64.b64encode(key) + b"\n" for key in keys)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def decoded(texts: Iterable[str], source: str) -> Iterator[bytes]:
    """The keys of their texts. An error tells which one is wrong, never what it is."""
    for number, text in enumerate(texts, start=1):
        try:
            key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigurationError(f"root key {number} is not base64", field=source, hint=_MAKE) from None
        if len(key) != KEY_BYTES:
            raise ConfigurationError(
                f"root key {number} has {len(key)} bytes, not {KEY_BYTES}", field=source, hint=_MAKE
            )
        yield key
