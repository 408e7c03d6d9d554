"""Compares the processes that a body remembers with the sessions that are declared, and ends what nobody claims."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from sac_core.contracts.store import Query, Record, Requirement, Unit
from sac_core.errors import ConflictError, NotFoundError
from sac_core.models.agent import Agent
from sac_core.models.process import Exit
from sac_core.service import notes
from sac_core.service.bodies import MAIN, PREPARING, Body, Running
from sac_core.service.execs import PREFIX
from sac_core.service.explaining import about_session
from sac_core.service.opener import session_model
from sac_core.service.services import EVERYWHERE, Services

log = logging.getLogger("sac.audit")

RETENTION = timedelta(hours=1)
"""How long an ended session is kept to be read."""


async def sessions_of(services: Services, agent: Agent) -> list[Record]:
    """The rows of all sessions of an agent."""
    query = Query(fields=(Requirement("spec.agent", "=", (agent.metadata.name,)),))
    page = await services.store.read(EVERYWHERE).list("Session", query)
    return [record for record in page.items if record.status.get("agentUid") == agent.metadata.uid]


async def audit(services: Services, agent: Agent, body: Body, *, prepares: bool) -> list[Record]:
    """End processes that no session claims, and sessions whose process has ended or is not there; the rows as read.

    ``prepares`` is whether something has to be prepared in the body, so that processes may be about it: one that was
    begun for an older version is not known to anyone when the server died, or lost a race, before it could say so.
    """
    before = {record.uid: record for record in await sessions_of(services, agent)}
    execs = set(body.execs)
    others = services.leasing.others()
    processes = {process.id: process for process in await body.list()}
    unclaimed = [id for id in processes if not _claimed(id, before, execs | body.execs, others, prepares)]
    if unclaimed:  # a row is committed before its process is opened: what was listed has its row by now
        after = {record.uid: record for record in await sessions_of(services, agent)}
        for process in unclaimed:
            if not _claimed(process, after, execs | body.execs, others, prepares):
                await _end(agent, body, process)
    for uid, record in before.items():  # a process is opened before its row says so: these must have been listed
        if record.status.get("phase") == "Running" and record.deleted_at is None:
            await _settle(services, record, processes.get(uid))
        elif record.status.get("phase") == "Ended" and _lives(processes.get(uid)):
            await _end(agent, body, uid)
    return list(before.values())


async def end_session(services: Services, record: Record, exit: Exit) -> None:
    """Say that a session has ended; losing a race is nothing to report."""
    status = session_model(record).status.model_copy(
        update={"phase": "Ended", "exit": exit, "reason": exit.reason, "ended_at": services.now()}
    )
    try:
        async with services.store.transaction(EVERYWHERE) as unit:
            deadline = services.now() + RETENTION
            await unit.update(replace(record, status=status.to_wire(), deadline=deadline))
            await tell_end(services, unit, record, exit)
    except (ConflictError, NotFoundError):
        return


async def tell_end(services: Services, unit: Unit, record: Record, exit: Exit) -> None:
    """Say in the agent's timeline that a session has ended."""
    await services.chronicle.tell(unit, about_session(record), [notes.ended(record.name, exit)])


async def end_sessions(services: Services, agent: Agent, reason: str, *, remove: bool = False) -> None:
    """End all sessions of an agent whose body has gone; ``remove`` takes their rows too."""
    for record in await sessions_of(services, agent):
        if remove:
            await remove_session(services, record, Exit(reason=reason))
        elif record.status.get("phase") != "Ended":
            await end_session(services, record, Exit(reason=reason))


async def _end(agent: Agent, body: Body, process_id: str) -> None:
    process = await body.find(process_id)
    if process is not None:
        log.warning("ending process %s of agent %s: nobody claims it", process_id, agent.metadata.name)
        await process.aclose()


async def _settle(services: Services, record: Record, process: Running | None) -> None:
    if process is None:
        await end_session(services, record, Exit(reason="Lost"))
    elif process.exit is not None:
        await end_session(services, record, process.exit)


async def remove_session(services: Services, record: Record, exit: Exit) -> None:
    """Remove a session's row; ``exit`` is how it ended, if it had not ended before."""
    try:
        async with services.store.transaction(EVERYWHERE) as unit:
            current = await unit.by_uid("Session", record.uid)
            await unit.remove(current)
            if session_model(record).status.exit is None:
                await tell_end(services, unit, record, exit)
    except NotFoundError:
        return


def _lives(process: Running | None) -> bool:
    return process is not None and process.exit is None


def _claimed(
    process_id: str, rows: dict[str, Record], execs: set[str], others: Collection[str], prepares: bool
) -> bool:
    """By its session, by what is to be prepared, or by the server that runs it: this one, or another that is alive."""
    if process_id.startswith(PREFIX):
        return process_id in execs or process_id.removeprefix(PREFIX).partition("-")[0] in others
    if process_id.startswith(PREPARING):
        return prepares
    return process_id == MAIN or process_id in rows
