"""Codes and tickets that are valid once and not for long. Only their digests are stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict
from typing import Any

from sac_core.contracts.context import State
from sac_core.models.principal import Principal


class SingleUse:
    """Issues them, and takes them from the store in one step."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def issue(self, kind: str, value: dict[str, Any], ttl: float) -> str:
        """A new one, ``sac_<kind>_...``, that stands for a value for ``ttl`` seconds."""
        token = f"sac_{kind}_{secrets.token_urlsafe(32)}"
        await self._state.put(f"{kind}/{digest(token)}", value, expected=0, ttl=ttl)
        return token

    async def take(self, kind: str, token: str) -> dict[str, Any] | None:
        """What it stands for; None when it was used, is too old or never was."""
        if not token.startswith(f"sac_{kind}_") or len(token) > 128:
            return None
        entry = await self._state.take(f"{kind}/{digest(token)}")
        return entry.value if entry else None


def digest(text: str) -> str:
    """What is stored of a token or cookie."""
    return hashlib.sha256(text.encode()).hexdigest()


def stored(principal: Principal) -> dict[str, Any]:
    """A principal as it is stored."""
    return {
        **asdict(principal),
        "tenants": sorted(principal.tenants),
        "permissions": sorted(principal.permissions),
    }


def restored(value: dict[str, Any]) -> Principal:
    """The principal of a stored one."""
    return Principal(
        kind=value["kind"],
        name=value["name"],
        tenant=value["tenant"],
        tenants=frozenset(value["tenants"]),
        permissions=frozenset(value["permissions"]),
    )
