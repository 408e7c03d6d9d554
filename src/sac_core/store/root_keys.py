"""Root keys: they wrap the data keys of tenants, and nothing else."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sac_core.contracts.sealing import DataKey
from sac_core.errors import ConfigurationError, UnavailableError

KEY_BYTES = 32
NONCE_BYTES = 12


class RootKeys:
    """Root keys by id; the first given is the active one. ``source`` is the setting that gave them, for errors."""

    def __init__(self, keys: Sequence[bytes], *, source: str) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError(
                f"a root key has {KEY_BYTES} bytes, and at least one is needed",
                field=source,
                hint=f"make one: openssl rand -base64 {KEY_BYTES}",
            )
        self._ciphers = {root_id(key): AESGCM(key) for key in keys}
        self.source = source
        self.active = root_id(keys[0])

    def __repr__(self) -> str:
        return f"RootKeys({', '.join(self.ids)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, the active one first."""
        return tuple(self._ciphers)

    def new(self, tenant: str, version: int) -> tuple[DataKey, bytes]:
        """A new data key: as it is kept, and the key itself."""
        key = AESGCM.generate_key(KEY_BYTES * 8)
        return self._wrap(DataKey(tenant, version, self.active, b""), key), key

    def unwrap(self, kept: DataKey) -> bytes:
        """The data key itself; raises `UnavailableError` that names the setting when its root key is not there."""
        cipher = self._ciphers.get(kept.root)
        if cipher is None:
            raise self.missing(kept.root)
        try:
            nonce, wrapped = kept.wrapped[:NONCE_BYTES], kept.wrapped[NONCE_BYTES:]
            return cipher.decrypt(nonce, wrapped, _place(kept))
        except InvalidTag:
            raise broken(f"the data key of tenant {kept.tenant!r}") from None

    def rewrapped(self, kept: DataKey) -> DataKey:
        """The same data key, wrapped by the active root key."""
        return self._wrap(replace(kept, root=self.active), self.unwrap(kept))

    def missing(self, root: str) -> UnavailableError:
        """A root key that is needed is not there."""
        return UnavailableError(
            f"the root key {root} is not among those given ({', '.join(self.ids)})",
            reason="KeyMissing",
            field=self.source,
            hint="give it again, behind the active one; without it what it protects cannot be read",
        )

    def _wrap(self, kept: DataKey, key: bytes) -> DataKey:
        nonce = os.urandom(NONCE_BYTES)
        return replace(kept, wrapped=nonce + self._ciphers[kept.root].encrypt(nonce, key, _place(kept)))


def root_id(key: bytes) -> str:
    """How a root key is named where it may not be shown: the first 8 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:8]


def broken(what: str) -> UnavailableError:
    """What was sealed does not open."""
    return UnavailableError(
        f"{what} does not open: it was changed, or sealed for another place",
        reason="SealBroken",
        hint="restore it from a backup",
    )


def _place(kept: DataKey) -> bytes:
    return f"data-key|{kept.tenant}|{kept.version}".encode()
