"""Where the root keys come from: a setting, a file of the operator's, or a file of SAC's own in the data directory."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from sac_core.contracts.sealing import DataKeys, Sealing
from sac_core.errors import ConfigurationError
from sac_core.settings import Settings
from sac_core.store.root_keys import KEY_BYTES, RootKeys
from sac_core.store.sealing import open_sealing

OWN_FILE = "key"
"""SAC's own root keys, in the data directory. Whoever has it and the database can read what is sealed."""

_MAKE = f"make one: openssl rand -base64 {KEY_BYTES}"


async def sealing_of(settings: Settings, folder: Path, kept: DataKeys) -> Sealing:
    """Sealing under the root keys of these settings; raises `ConfigurationError` when one in use is not among them."""
    return await open_sealing(kept, await _root_keys(settings, folder, kept))


async def _root_keys(settings: Settings, folder: Path, kept: DataKeys) -> RootKeys:
    if settings.keys is not None and settings.keys_file is not None:
        raise ConfigurationError("give the root keys in one place only", field="SAC_KEYS", hint="or SAC_KEYS_FILE")
    if settings.keys is not None:
        given = settings.keys.get_secret_value().split(",")
        return RootKeys(list(_decoded(given, "SAC_KEYS")), source="SAC_KEYS")
    if settings.keys_file is not None:
        return RootKeys(read_keys(settings.keys_file), source="SAC_KEYS_FILE")
    own = folder / OWN_FILE
    if not own.exists():
        await _refuse_if_used(kept, own)
        write_keys(own, [os.urandom(KEY_BYTES)])
    return RootKeys(read_keys(own), source="SAC_KEYS_FILE")


def read_keys(path: Path) -> list[bytes]:
    """The root keys of a file: one in base64 a line, the active one first; empty lines and those with # are passed."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"cannot read {path}: {why}", field="SAC_KEYS_FILE") from None
    return list(_decoded((line for line in lines if line and not line.startswith("#")), "SAC_KEYS_FILE"))


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


def _decoded(texts: Iterable[str], source: str) -> Iterator[bytes]:
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


async def _refuse_if_used(kept: DataKeys, own: Path) -> None:
    """A new root key would open nothing of what is there, and hide that the old one is lost."""
    if await kept.count():
        raise ConfigurationError(
            f"the database holds sealed values, and their root key {own} is gone",
            reason="KeyMissing",
            field="SAC_KEYS_FILE",
            hint="put the file back from a backup, or name it",
        )
