"""Encryption at rest: what seals bytes under a tenant's data key, and where the wrapped data keys are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from sac_core.models.keys import KeyStatus


@dataclass(frozen=True, slots=True)
class DataKey:
    """A tenant's data key as it is kept: wrapped by the root key whose id is ``root``."""

    tenant: str
    version: int
    root: str
    wrapped: bytes = field(repr=False)


class DataKeys(ABC):
    """Keeps wrapped data keys. Each call is a transaction of its own: not for use inside another."""

    @abstractmethod
    async def newest(self, tenant: str) -> DataKey | None:
        """The newest data key of a tenant; None when it has none yet."""

    @abstractmethod
    async def get(self, tenant: str, version: int) -> DataKey | None:
        """One data key."""

    @abstractmethod
    async def add(self, key: DataKey) -> None:
        """Keep a new one; `ConflictError` when the tenant has one of that version already."""

    @abstractmethod
    async def replace(self, old: DataKey, new: DataKey) -> bool:
        """Write another wrapping of the same data key, if it is still that of ``old``; whether it was."""

    @abstractmethod
    async def not_under(self, root: str, *, after: tuple[str, int], limit: int) -> list[DataKey]:
        """At most ``limit`` data keys that another root key has wrapped, in order, after a tenant and version."""

    @abstractmethod
    async def count(self) -> Mapping[str, int]:
        """How many data keys each root key has wrapped."""


class Sealing(ABC):
    """Seals bytes so that they can be kept: AES-256-GCM under the tenant's data key.

    What is sealed for one tenant and identity is opened for no other: a row that was copied or moved does not open.
    Not for use inside a transaction of the store: the first seal of a tenant writes its data key.
    """

    @abstractmethod
    async def seal(self, tenant: str, identity: str, data: bytes) -> bytes:
        """The sealed form of ``data``, 33 bytes longer; ``identity`` names the one place where it is kept."""

    @abstractmethod
    async def unseal(self, tenant: str, identity: str, sealed: bytes) -> bytes:
        """What was sealed for this tenant and identity.

        Raises `UnavailableError`: reason ``KeyMissing`` when the root key is not there (it names the setting),
        ``SealBroken`` when the bytes were changed, or sealed for another place.
        """


class KeyRotation(ABC):
    """Changes the root key while everything stays readable. Goes on by itself after an interruption."""

    @abstractmethod
    async def status(self) -> KeyStatus:
        """Which root keys there are, and how far a rotation has got."""

    @abstractmethod
    async def rotate(self) -> KeyStatus:
        """Begin, or go on: wrap every data key by the active root key. Returns at once; `status` tells the progress.

        Where SAC keeps the root key itself it makes a new one first, and removes the old one when nothing needs it.
        Else `NotReadyError` when everything is under the active key: give a new one, first in the list, before.
        """
