"""Sealing by AES-256-GCM under data keys that the store keeps.

A sealed value is one byte of format (1), four of the data key's version, twelve of nonce, the ciphertext and its tag.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TypeVar

import anyio
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sac_core.contracts.sealing import DataKey, DataKeys, Sealing
from sac_core.errors import ConfigurationError, ConflictError, InvalidError
from sac_core.store.root_keys import NONCE_BYTES, RootKeys, broken

K = TypeVar("K")
V = TypeVar("V")

FORMAT = 1
_HEAD = 5
_KNOWN = 1024
"""Opened data keys that are remembered, the latest used."""


class DataKeySealing(Sealing):
    """Seals under the newest data key of a tenant, made at its first use. Made by `open_sealing`."""

    def __init__(self, keys: DataKeys, roots: RootKeys) -> None:
        self._keys = keys
        self._roots = roots
        self._known: OrderedDict[tuple[str, int], AESGCM] = OrderedDict()
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._making = anyio.Lock()

    async def seal(self, tenant: str, identity: str, data: bytes) -> bytes:
        version = self._newest.get(tenant) or await self._version(tenant)
        cipher, nonce = await self._cipher(tenant, version), os.urandom(NONCE_BYTES)
        head = bytes([FORMAT]) + version.to_bytes(4, "big")
        return head + nonce + cipher.encrypt(nonce, data, _place(tenant, identity, version))

    async def unseal(self, tenant: str, identity: str, sealed: bytes) -> bytes:
        if len(sealed) < _HEAD + NONCE_BYTES or sealed[0] != FORMAT:
            raise broken(identity)
        version, rest = int.from_bytes(sealed[1:_HEAD], "big"), sealed[_HEAD:]
        cipher = await self._cipher(tenant, version)
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _place(tenant, identity, version))
        except InvalidTag:
            raise broken(identity) from None

    async def use(self, roots: RootKeys) -> None:
        """Work with these root keys from now on: no data key is made under an earlier one once this returns."""
        async with self._making:
            self._roots = roots

    async def _version(self, tenant: str) -> int:
        """The version of the tenant's newest data key, which is made when there is none."""
        if "|" in tenant:
            raise InvalidError(f"{tenant!r} is not the name of a tenant", field="namespace")
        async with self._making:
            kept = await self._keys.newest(tenant) or await self._make(tenant)
        self._remember(self._newest, tenant, kept.version)
        return kept.version

    async def _make(self, tenant: str) -> DataKey:
        kept, _ = self._roots.new(tenant, 1)
        try:
            await self._keys.add(kept)
        except ConflictError:  # another server was there first
            kept = await self._keys.newest(tenant) or kept
        return kept

    async def _cipher(self, tenant: str, version: int) -> AESGCM:
        known = self._known.get((tenant, version))
        if known is None:
            kept = await self._keys.get(tenant, version)
            if kept is None:
                raise broken(f"a value of tenant {tenant!r}")
            known = AESGCM(self._roots.unwrap(kept))
        self._remember(self._known, (tenant, version), known)
        return known

    @staticmethod
    def _remember(known: OrderedDict[K, V], key: K, value: V) -> None:
        known[key] = value
        known.move_to_end(key)
        if len(known) > _KNOWN:
            known.popitem(last=False)


async def open_sealing(keys: DataKeys, roots: RootKeys) -> DataKeySealing:
    """Sealing that can open all that there is; raises `ConfigurationError` when a root key in use was not given."""
    for root in await keys.count():
        if root not in roots.ids:
            missing = roots.missing(root)
            raise ConfigurationError(missing.message, reason=missing.reason, field=missing.field, hint=missing.hint)
    return DataKeySealing(keys, roots)


def _place(tenant: str, identity: str, version: int) -> bytes:
    return f"{tenant}|{identity}|{version}".encode()
