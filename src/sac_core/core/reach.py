"""What a server uses of its executors where it shares a database with others: what they all reach."""

from __future__ import annotations

from collections.abc import Collection

from sac_core.contracts.store import Store
from sac_core.errors import ConfigurationError
from sac_core.service.reach import out_of_reach
from sac_core.service.targets import Targets


async def keep_within_reach(targets: Targets, store: Store, *, needed: Collection[str]) -> None:
    """Drop those whose bodies are where this server is not; `ConfigurationError` when one of ``needed`` is."""
    for target in targets:
        why = await out_of_reach(store, target)
        if why is None:
            continue
        if target.name in needed:
            raise ConfigurationError(
                f"executor {target.name!r} cannot be used: {why}",
                field="SAC_DATABASE",
                hint="start it there with the same folder, delete its agents there, or use another default",
            )
        targets.drop(target.at, why)
