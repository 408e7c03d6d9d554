"""On which target a new agent goes; it stays there."""

from __future__ import annotations

from sac_core.contracts.store import Query, Reader, Record, Requirement
from sac_core.errors import ConflictError, InvalidError
from sac_core.models.agent import ExecutorRef
from sac_core.models.placement import DEFAULT_TARGET, Placement


async def chosen(platform: Reader, before: Placement | None, ref: ExecutorRef) -> Placement:
    """Where an agent's body goes, or is if it was placed ``before``.

    Raises `InvalidError` for a target that is not there, or another than before; `ConflictError` (``Unschedulable``)
    for one that takes no new agents.
    """
    if before is None:
        return await _new(platform, ref)
    if before.executor != ref.name or ref.target not in (None, before.target):
        raise InvalidError(
            f"an agent stays where it was created: {before}",
            field="spec.executor",
            hint="create another one there, and delete this one",
        )
    return before


async def declared_for(platform: Reader, executor: str) -> tuple[Record, ...]:
    """The declared targets of an executor."""
    theirs = Query(fields=(Requirement("spec.executor", "=", (executor,)),))
    return (await platform.list("Target", theirs)).items


async def _new(platform: Reader, ref: ExecutorRef) -> Placement:
    known = {record.name: record for record in await declared_for(platform, ref.name)}
    target = ref.target or next((name for name, record in known.items() if record.status.get("default")), None)
    if target is None or target == DEFAULT_TARGET:
        return Placement(ref.name)
    if target not in known:
        raise InvalidError(
            f"executor {ref.name!r} has no target {target!r}",
            field="spec.executor.target",
            hint=f"known: {', '.join((DEFAULT_TARGET, *known))}",
        )
    if not known[target].spec.get("schedulable", True):
        raise ConflictError(
            f"target {target!r} takes no new agents",
            reason="Unschedulable",
            field="spec.executor.target",
            hint="choose another one, or let it: sac targets update --schedulable",
        )
    return Placement(ref.name, target)
