"""Servers that share a database need not reach the same bodies: who takes over an agent must be where its body is."""

from __future__ import annotations

from collections.abc import Callable

from sac_core.contracts.context import State
from sac_core.contracts.store import EVERYWHERE, Query, Reader, Record, Requirement, Store
from sac_core.errors import ConflictError
from sac_core.models.placement import DEFAULT_TARGET, Placement, placement_in
from sac_core.service.targets import Target


async def agents_at(reader: Reader, at: Placement) -> list[Record]:
    """The agents that a reader sees on a target."""
    theirs = Query(fields=(Requirement("status.executor", "=", (at.executor,)),))
    return [record for record in (await reader.list("Agent", theirs)).items if placement_in(record.status) == at]


def _nobody(server: str) -> bool:
    return False


async def out_of_reach(
    store: Store, target: Target, *, server: str = "", alive: Callable[[str], bool] = _nobody
) -> str | None:
    """Why this ``server`` does not reach the bodies of a target; None when it does.

    The place of a target is that of the first server that has it, for as long as agents are on it, or that server is
    ``alive``.
    """
    taken = await _taken(store.state("sac"), store, target, server, alive) if target.place else ""
    if taken == target.place:
        return None
    return f"its bodies are at {taken}, which this server, at {target.place}, does not reach"


async def forget_place(store: Store, at: Placement) -> None:
    """There is no such target any more."""
    await store.state("sac").delete(_key(at))


async def _taken(state: State, store: Store, target: Target, server: str, alive: Callable[[str], bool]) -> str:
    """Where the bodies of a target are: here, if they are nowhere yet, or none are left where they were."""
    key, known = _key(target.at), await state.get(_key(target.at))
    if known is not None:
        place, first = str(known.value["place"]), str(known.value.get("server", ""))
        if place == target.place and (first == server or alive(first)):
            return place
        if place != target.place and (alive(first) or await agents_at(store.read(EVERYWHERE), target.at)):
            return place
    try:
        await state.put(key, {"place": target.place, "server": server}, expected=known.version if known else 0)
    except ConflictError:  # another server was quicker
        return await _taken(state, store, target, server, alive)
    return target.place


def _key(at: Placement) -> str:
    return f"place/{at.executor}" if at.target == DEFAULT_TARGET else f"place/{at.key}"
