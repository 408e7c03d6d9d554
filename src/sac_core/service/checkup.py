"""Looks for what is wrong with an installation: plugins, executors, database, and bodies that are not as declared."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import anyio

from sac_core.contracts.store import Query, Record, Requirement
from sac_core.errors import NotFoundError, SacError
from sac_core.models.body import Finding, Observed
from sac_core.models.placement import DEFAULT_TARGET, placement_in
from sac_core.service.reach import agents_at
from sac_core.service.services import EVERYWHERE, Services
from sac_core.service.targets import Target

log = logging.getLogger("sac.checkup")

DEADLINE = 10.0
"""Seconds that one check of an executor may take."""
_NAMED = 5
"""So many bodies or agents are named in a finding."""


async def findings(services: Services) -> tuple[Finding, ...]:
    """All findings, with advice; a check that fails or hangs is a finding itself."""
    found = [*_plugins(services), *await services.store.findings(), *_unopened(services)]
    parts: dict[Target, list[Finding]] = {target: [] for target in services.targets}

    async def look(target: Target) -> None:
        parts[target] = await _bounded(services, target)

    async with anyio.create_task_group() as group:  # one that hangs keeps no other waiting
        for target in parts:
            group.start_soon(look, target)
    return (*found, *(finding for part in parts.values() for finding in part))


def _plugins(services: Services) -> list[Finding]:
    known = {failure.name: failure.message for failure in services.registry.failures}
    executors = {at.executor: why for at, why in services.targets.failed.items() if at.target == DEFAULT_TARGET}
    failed = known | executors | dict(services.stages.failed)
    return [
        Finding(level="error", check=f"plugin {name}", message=why, advice="upgrade or remove it; see: sac plugins")
        for name, why in failed.items()
    ]


def _unopened(services: Services) -> list[Finding]:
    """Declared targets that this server cannot use."""
    failed = {at: why for at, why in services.targets.failed.items() if at.target != DEFAULT_TARGET}
    return [
        Finding(level="error", check=f"target {at}", message=why, advice=f"see: sac targets describe {at.target}")
        for at, why in failed.items()
    ]


async def _bounded(services: Services, target: Target) -> list[Finding]:
    check = f"{'executor' if target.at.target == DEFAULT_TARGET else 'target'} {target.name}"
    advice = "agents that run there cannot be started or looked at meanwhile; see the server's log"
    try:
        with anyio.fail_after(DEADLINE):
            return [finding async for finding in _target(services, target, check)]
    except TimeoutError:
        message = f"it did not answer within {DEADLINE:g} s"
    except SacError as error:
        message = str(error)
    except Exception as error:
        log.exception("a fault of executor %s while it was checked", target.name)
        message = f"a fault of the plugin: {type(error).__name__}"
    return [Finding(level="error", check=check, message=message, advice=advice)]


async def _target(services: Services, target: Target, check: str) -> AsyncIterator[Finding]:
    probe = await target.executor.probe()
    missed = probe.reachable or target.needed or bool(await agents_at(services.store.read(EVERYWHERE), target.at))
    for finding in probe.findings:
        level = finding.level if missed or finding.level == "ok" else "warning"
        yield finding.model_copy(update={"check": f"{check}: {finding.check}", "level": level})
    if not probe.reachable:
        if missed:
            yield Finding(level="error", check=check, message="it is not reachable", advice="see its findings above")
        return
    # bodies first, rows after: a body's row is committed before the body is made
    bodies = [body async for body in target.executor.bodies()]
    yield Finding(level="ok", check=check, message=f"reachable, {len(bodies)} bodies")
    for each in (await _orphans(services, check, bodies), await _bodiless(services, check, target, bodies)):
        if each is not None:
            yield each


async def _orphans(services: Services, check: str, bodies: list[Observed]) -> Finding | None:
    """Bodies that no row claims."""
    reader = services.store.read(EVERYWHERE)
    orphans = []
    for body in bodies:
        try:
            await reader.by_uid("Agent", body.key.uid)
        except NotFoundError:
            orphans.append(f"{body.key.agent} ({body.key.uid})")
    if not orphans:
        return None
    message = f"bodies that no agent claims: {_some(orphans)}"
    advice = "they are removed within half a minute; if they stay, the server's log says why"
    return Finding(level="warning", check=f"{check}: orphans", message=message, advice=advice)


async def _bodiless(services: Services, check: str, target: Target, bodies: list[Observed]) -> Finding | None:
    """Agents that are said to run on this executor, without a body there."""
    there = {body.key.uid for body in bodies if body.phase != "absent"}
    running = Query(fields=(Requirement("status.phase", "=", ("Running",)),))
    page = await services.store.read(EVERYWHERE).list("Agent", running)
    missing = [record.name for record in page.items if _belongs(record, target) and record.uid not in there]
    if not missing:
        return None
    message = f"agents that should run and have no body: {_some(missing)}"
    advice = "they are started again within half a minute; why they ended: sac describe AGENT"
    return Finding(level="warning", check=f"{check}: bodies", message=message, advice=advice)


def _belongs(record: Record, target: Target) -> bool:
    return record.launch is not None and placement_in(record.status) == target.at


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
