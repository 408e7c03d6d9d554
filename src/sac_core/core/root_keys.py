"""Where the root keys come from: a setting, a file of the operator's, or a file of SAC's own in the data directory."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sac_core.contracts.background import background
from sac_core.contracts.sealing import DataKeys, KeyRotation, Sealing
from sac_core.core.key_file import decoded, read_keys, write_keys
from sac_core.errors import ConfigurationError, UnsupportedError
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.store.root_keys import KEY_BYTES, RootKeys
from sac_core.store.rotation import RootRotation, RootSource
from sac_core.store.sealing import open_sealing

OWN_FILE = "key"
"""SAC's own root keys, in the data directory. Whoever has it and the database can read what is sealed."""


class GivenKeys:
    """Root keys in ``SAC_KEYS``: another one needs a restart."""

    name, own = "SAC_KEYS", False

    def __init__(self, text: str) -> None:
        self._text = text

    def load(self) -> RootKeys:
        return RootKeys(list(decoded(self._text.split(","), self.name)), source=self.name)

    def add(self) -> None:
        raise _operators(self.name)

    def retire(self) -> None:
        raise _operators(self.name)


class FileKeys:
    """Root keys in a file, read again for every rotation. ``own``: it is SAC's, which may change it."""

    name = "SAC_KEYS_FILE"

    def __init__(self, path: Path, *, own: bool) -> None:
        self.path = path
        self.own = own

    def load(self) -> RootKeys:
        return RootKeys(read_keys(self.path), source=self.name)

    def add(self) -> None:
        self._change([os.urandom(KEY_BYTES), *(read_keys(self.path) if self.path.exists() else [])])

    def retire(self) -> None:
        self._change(read_keys(self.path)[:1])

    def _change(self, keys: list[bytes]) -> None:
        if not self.own:
            raise _operators(self.name)
        write_keys(self.path, keys)


@asynccontextmanager
async def open_keys(settings: Settings, folder: Path, kept: DataKeys) -> AsyncIterator[tuple[Sealing, KeyRotation]]:
    """Sealing under the root keys of these settings, and their rotation, which goes on where it was interrupted.

    Raises `ConfigurationError` when a root key that is in use is not among them.
    """
    source = await _source(settings, folder, kept)
    roots = source.load()
    sealing = await open_sealing(kept, roots)
    if settings.database is not None:  # a server that has other root keys finds out now, not at the first secret
        await sealing.seal(LOCAL.tenant, "opened", b"")
    rotation = RootRotation(kept, sealing, source, roots)
    async with background() as group:
        group.start_soon(rotation.run)
        yield sealing, rotation


async def _source(settings: Settings, folder: Path, kept: DataKeys) -> RootSource:
    if settings.keys is not None and settings.keys_file is not None:
        raise ConfigurationError("give the root keys in one place only", field="SAC_KEYS", hint="or SAC_KEYS_FILE")
    if settings.keys is not None:
        return GivenKeys(settings.keys.get_secret_value())
    if settings.keys_file is not None:
        return FileKeys(settings.keys_file, own=False)
    own = FileKeys(folder / OWN_FILE, own=True)
    if not own.path.exists():
        await _refuse_if_used(kept, own.path)
        own.add()
    return own


async def _refuse_if_used(kept: DataKeys, own: Path) -> None:
    """A new root key would open nothing of what is there, and hide that the old one is lost."""
    if await kept.count():
        raise ConfigurationError(
            f"the database holds sealed values, and their root key {own} is not there",
            reason="KeyMissing",
            field="SAC_KEYS_FILE",
            hint="put the file back from a backup, or name it; several servers on one database need the same root keys",
        )


def _operators(name: str) -> UnsupportedError:
    return UnsupportedError("SAC does not change root keys that it was given", field=name)
