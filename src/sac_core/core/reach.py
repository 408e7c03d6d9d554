"""Servers that share a database need not reach the same bodies: who takes over an agent must be where its body is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sac_core.contracts.context import State
from sac_core.contracts.store import EVERYWHERE, Query, Requirement, Store
from sac_core.errors import ConfigurationError, ConflictError
from sac_core.service.targets import Target, Targets

_KEY = "place/{}"


async def within_reach(targets: Targets, store: Store, *, needed: Collection[str]) -> Targets:
    """Those whose bodies are where this server is; the place of an executor is that of the first server that has it.

    Raises `ConfigurationError` when one of ``needed`` is elsewhere.
    """
    state, opened, failed = store.state("sac"), dict(targets.opened), dict(targets.failed)
    for target in targets:
        taken = await _taken(state, store, target) if target.place else ""
        if taken != target.place:
            why = f"its bodies are at {taken}, which this server, at {target.place}, does not reach"
            if target.name in needed:
                raise ConfigurationError(
                    f"executor {target.name!r} cannot be used: {why}",
                    field="SAC_DATABASE",
                    hint="start it there with the same folder, delete its agents there, or use another default",
                )
            failed[target.name] = why
            del opened[target.name]
    return replace(targets, opened=opened, failed=failed)


async def _taken(state: State, store: Store, target: Target) -> str:
    """Where the bodies of an executor are: here, if they are nowhere yet, or none are left where they were."""
    key = _KEY.format(target.name)
    known = await state.get(key)
    if known is not None and (known.value["place"] == target.place or await _used(store, target.name)):
        return str(known.value["place"])
    try:
        await state.put(key, {"place": target.place}, expected=known.version if known else 0)
    except ConflictError:  # another server was quicker
        return await _taken(state, store, target)
    return target.place


async def _used(store: Store, executor: str) -> bool:
    """Whether there are agents of an executor."""
    theirs = Query(fields=(Requirement("status.executor", "=", (executor,)),), limit=1)
    return bool((await store.read(EVERYWHERE).list("Agent", theirs)).items)
