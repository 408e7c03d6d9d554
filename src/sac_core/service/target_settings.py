"""The settings of declared targets: checked by their executor's model, the secret ones sealed beside the row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sac_core.contracts.store import EVERYWHERE, Record, SealedValue
from sac_core.hooks.registry import Registry
from sac_core.models.base import parse
from sac_core.models.secret_settings import joined, parted
from sac_core.service.services import Services

Sealable = Mapping[str, Any]
"""Secret settings by their path."""


def checked(registry: Registry, executor: str, settings: Mapping[str, Any]) -> tuple[dict[str, Any], Sealable]:
    """Settings as they are kept: what may be shown, and what is secret; raises `InvalidError` that names the field."""
    return parted(parse(registry.executor(executor).settings, dict(settings), field="spec.settings"))


async def sealed(services: Services, record: Record, version: int, secrets: Sealable) -> SealedValue:
    """Secret settings as they are kept. Not for use inside a transaction."""
    text = json.dumps(dict(secrets)).encode()
    return SealedValue(version, await services.sealing.seal(record.tenant, _identity(record, version), text))


async def unsealed(services: Services, record: Record) -> Sealable:
    """The secret settings of a target. Not for use inside a transaction."""
    if not record.status.get("sealed"):
        return {}
    kept = await services.store.read(EVERYWHERE).sealed(record)
    text = await services.sealing.unseal(record.tenant, _identity(record, kept.version), kept.sealed)
    secrets: Sealable = json.loads(text)
    return secrets


async def whole_settings(services: Services, record: Record) -> dict[str, Any]:
    """All settings of a target, to open it with and for nothing else."""
    return joined(record.spec.get("settings", {}), await unsealed(services, record))


def _identity(record: Record, version: int) -> str:
    return f"{record.kind}/{record.uid}/{version}"
