"""Who acts. Always explicit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PrincipalKind = Literal["user", "service", "agent", "machine", "system"]

ALL = "*"

PLATFORM = ""
"""The tenant of what belongs to none."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts, in which tenant by default, in which tenants at most, with which permissions.

    A permission is ``<plural>:<verb>`` (``agents:create``); ``*`` stands for all, of tenants and of permissions.
    """

    kind: PrincipalKind
    name: str
    tenant: str = "default"
    tenants: frozenset[str] = frozenset({"default"})
    permissions: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Kind and name in one word, as owners are written: ``user:local``."""
        return f"{self.kind}:{self.name}"

    def may(self, permission: str) -> bool:
        """Whether a permission is held."""
        family = permission.partition(":")[0]
        return bool(self.permissions & {ALL, permission, f"{family}:{ALL}"})

    def may_enter(self, tenant: str) -> bool:
        """Whether a tenant is one of the principal's."""
        return bool(self.tenants & {ALL, tenant})


LOCAL = Principal(kind="user", name="local", permissions=frozenset({ALL}))
"""The one user of an embedded or local SAC."""

SYSTEM = Principal(kind="system", name="sac", tenants=frozenset({ALL}), permissions=frozenset({ALL}))
"""SAC itself: the reconciler."""
