"""Sessions and their stages: seated before the process is opened, fed while it runs, seated again after a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import anyio

from sac_core.contracts.store import Record
from sac_core.errors import ConflictError, LostError, NotFoundError, NotReadyError, SacError, UnavailableError
from sac_core.models.envelope import Condition, with_condition
from sac_core.models.process import Exit
from sac_core.models.session import Session, SessionStatus
from sac_core.service.hub import Source
from sac_core.service.opener import agent_of, enter_body, find_session, open_session, session_model
from sac_core.service.past import PastProcess
from sac_core.service.process_audit import RETENTION
from sac_core.service.services import EVERYWHERE, Services
from sac_core.service.stages.sight import Sight

log = logging.getLogger("sac.stages")

_TRIES = 20
_PAUSE = 0.05
_END_DEADLINE = 4.0


async def open_seen(services: Services, session: Session) -> None:
    """Seat the stages, open the process, feed the stages; no seat that it must not be without, no process."""
    await services.stages.begin(session)
    await open_session(services, session)
    follow_stages(services, session)


def follow_stages(services: Services, session: Session) -> None:
    """Feed the stages that have seats at a session."""

    async def find() -> Source:
        return await _find(services, session.metadata.uid)

    async def tell(stage: str, seated: bool, why: str) -> None:
        await _tell(services, session.metadata.uid, stage, seated, why)

    async def lose(reason: str, why: str) -> None:
        await _lose(services, session, reason, why)

    services.stages.follow(session.metadata.uid, Sight(find, tell, lose))


def resume_stages(services: Services, records: Sequence[Record]) -> None:
    """Seat the stages of sessions that were opened before a restart, and feed them from where they were."""
    for record in records:
        ours = record.owner_server is None or services.leasing.owns(record.owner_server)
        opened = record.status.get("phase") in ("Running", "Ended")
        if ours and opened and not services.stages.knows(record.uid):
            services.stages.group.start_soon(_resume, services, session_model(record))


async def _resume(services: Services, session: Session) -> None:
    try:
        if not await services.leasing.leases.take("Session", session.metadata.uid):
            return
        await services.stages.begin(session)
    except UnavailableError as error:
        if session.status.phase != "Ended":
            await _lose(services, session, error.reason, error.message)
    except Exception:  # one session's fault must not take the others with it
        log.exception("a fault while seating the stages of session %s", session.metadata.name)
    else:
        follow_stages(services, session)


async def _find(services: Services, uid: str) -> Source:
    """The process; of a session that has ended with its body, only the exit."""
    session = session_model(await services.store.read(EVERYWHERE).by_uid("Session", uid))
    try:
        return await find_session(services, session)
    except (NotReadyError, LostError):
        if session.status.phase != "Ended":
            raise
        return Source(PastProcess(uid, session.status.exit or Exit(reason="Lost")), 0, session.spec.tty)


async def _tell(services: Services, uid: str, stage: str, seated: bool, why: str) -> None:
    """Say in the session's status whether a stage sees it."""
    condition = Condition(
        type=f"Stage/{stage}",
        status="True" if seated else "False",
        reason="Seated" if seated else "SeatLost",
        message=why[:500],
        last_transition_time=services.now(),
    )

    def noted(status: SessionStatus) -> SessionStatus:
        return status.model_copy(update={"conditions": with_condition(status.conditions, condition)})

    await _write(services, uid, noted)


async def _lose(services: Services, session: Session, reason: str, why: str) -> None:
    """End a session that must not be without a stage. Its process ends also when that cannot be written."""

    def ended(status: SessionStatus) -> SessionStatus:
        update = {"phase": "Ended", "reason": reason, "message": why[:500], "exit": Exit(reason=reason)}
        return status.model_copy(update={**update, "ended_at": services.now()})

    async with anyio.create_task_group() as group:
        group.start_soon(_end_process, services, session)
        group.start_soon(_write, services, session.metadata.uid, ended)


async def _end_process(services: Services, session: Session) -> None:
    try:
        with anyio.fail_after(_END_DEADLINE):
            body = services.bodies.entered(session.status.agent_uid)
            body = body or await enter_body(services, (await agent_of(services, session))[0])
            process = await body.find(session.metadata.uid)
            if process is not None:
                await process.signal("HUP")
                await process.aclose()
    except (SacError, TimeoutError) as error:  # the agent's next audit ends what an ended session has left
        log.warning("cannot end the process of session %s yet: %s", session.metadata.name, error)


async def _write(services: Services, uid: str, changed: Callable[[SessionStatus], SessionStatus]) -> None:
    """Change a session's status, whoever else writes it at the same time."""
    for _ in range(_TRIES):
        try:
            async with services.store.transaction(EVERYWHERE) as unit:
                record = await unit.by_uid("Session", uid)
                status = changed(session_model(record).status)
                due = services.now() + RETENTION if status.phase == "Ended" else record.deadline
                await unit.update(replace(record, status=status.to_wire(), deadline=due))
            return
        except NotFoundError:
            return
        except (ConflictError, UnavailableError) as error:
            log.info("the status of session %s is not written yet: %s", uid, error)
        await anyio.sleep(_PAUSE)
