"""Opening and finding the process of a session: the same steps for the one who asks and for the reconciler."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sac_core.contracts.process import Process
from sac_core.contracts.store import Record, Scope
from sac_core.errors import ConflictError, LaunchError, LostError, NotFoundError, NotReadyError
from sac_core.models.agent import Agent
from sac_core.models.kind import AGENT, SESSION
from sac_core.models.launch import Launch
from sac_core.models.process import Command, Exit
from sac_core.models.session import Session, SessionStatus
from sac_core.service import documents
from sac_core.service.bodies import Body
from sac_core.service.hub import Source
from sac_core.service.past import PastProcess
from sac_core.service.secret_delivery import environment
from sac_core.service.services import EVERYWHERE, Services


async def enter_body(services: Services, agent: Agent) -> Body:
    """The way into an agent's body."""
    return await services.bodies.enter(agent, services.targets.of(agent))


async def agent_of(services: Services, session: Session) -> tuple[Agent, Launch]:
    """A session's agent and its launch; raises `NotFoundError` when it has gone."""
    record = await services.store.read(EVERYWHERE).by_uid("Agent", session.status.agent_uid)
    return documents.to_model(AGENT, record), launch_of(record)


async def running_agent(services: Services, scope: Scope, name: str) -> tuple[Agent, Launch]:
    """An agent that a scope sees, and its launch; raises `NotReadyError` when it does not run."""
    record = await services.store.read(scope).get("Agent", name)
    agent: Agent = documents.to_model(AGENT, record)
    require_running(agent)
    return agent, launch_of(record)


def require_running(agent: Agent) -> None:
    """Raise `NotReadyError` unless an agent runs."""
    if agent.status.phase != "Running":
        name = agent.metadata.name
        raise NotReadyError(
            f"agent {name!r} is {agent.status.phase}, not Running",
            hint=f"start it, or wait for it: sac start {name}",
        )


def launch_of(record: Record) -> Launch:
    """The launch stored with an agent's row."""
    return Launch.model_validate(record.launch or {})


async def open_session(services: Services, session: Session) -> None:
    """Open a session's process, and say in its status that it runs. Again is harmless: the same process."""
    agent, launch = await agent_of(services, session)
    body = await enter_body(services, agent)
    command = Command(
        argv=session.spec.command or ("/bin/sh",),
        env={**await environment(services, agent, launch, body), **session.spec.env},
        cwd=session.spec.cwd or launch.template.cwd,
        tty=session.spec.tty,
        overflow="drop",
    )
    await open_in(body, session.metadata.uid, command)
    status = session.status.model_copy(
        update={"phase": "Running", "opened_at": services.now(), "reattach": body.reattach}
    )
    await write_session(services, session.metadata.uid, status, only_from=("Pending",))


async def open_in(body: Body, process_id: str, command: Command) -> Process:
    """Run a command in a body; a program or folder that is not there is a `LaunchError`."""
    try:
        return await body.open(process_id, command)
    except NotFoundError as error:
        raise LaunchError(error.message, reason="CommandNotFound", field="command", hint=error.hint) from None


async def find_session(services: Services, session: Session) -> Source:
    """The process of a session as its body remembers it; what has ended and is forgotten has only its exit."""
    uid = session.metadata.uid
    past = Source(PastProcess(uid, session.status.exit or Exit(reason="Lost")), 0, session.spec.tty)
    try:
        agent, _ = await agent_of(services, session)
        body = await enter_body(services, agent)
        process = await body.find(uid)
        running = await body.look(uid)
    except (NotFoundError, LostError):
        if session.status.phase == "Ended":
            return past
        raise
    if process is not None and running is not None:
        return Source(process, running.end, running.size or session.spec.tty)
    if session.status.phase == "Ended":
        return past
    raise LostError(f"session {session.metadata.name!r} has no process in its body any more")


async def write_session(
    services: Services, uid: str, status: SessionStatus, *, only_from: tuple[str, ...], deadline: Any = None
) -> None:
    """Write a session's status if its phase is still one of ``only_from``; losing a race is nothing to report."""
    try:
        async with services.store.transaction(EVERYWHERE) as unit:
            record = await unit.by_uid("Session", uid)
            if record.status.get("phase") in only_from:
                await unit.update(replace(record, status=status.to_wire(), deadline=deadline))
    except (ConflictError, NotFoundError):
        return


def session_model(record: Record) -> Session:
    """The model of a session's row."""
    session: Session = documents.to_model(SESSION, record)
    return session
