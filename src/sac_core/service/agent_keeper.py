"""Brings one agent from what is seen to what is declared, one step at a time; safe to call at any time."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from sac_core.contracts.store import Record
from sac_core.errors import (
    DeadlineError,
    LaunchError,
    LostError,
    NotFoundError,
    NotReadyError,
    UnavailableError,
    UnsupportedError,
)
from sac_core.models import transitions
from sac_core.models.agent import Agent, AgentPhase, AgentStatus
from sac_core.models.body import BUILDING, Observed
from sac_core.models.kind import AGENT
from sac_core.models.launch import Launch
from sac_core.models.lifecycle import USELESS, after_exit, describe_exit, ended_reason, failed_reason, settled
from sac_core.models.process import Exit
from sac_core.service import documents, notes
from sac_core.service.agent_work import Step, Work
from sac_core.service.explaining import about
from sac_core.service.main_process import keep_main
from sac_core.service.notes import Note
from sac_core.service.opener import enter_body, launch_of
from sac_core.service.preparing import Missing, prepare
from sac_core.service.process_audit import audit, end_sessions
from sac_core.service.secret_delivery import open_secrets, renewed
from sac_core.service.services import EVERYWHERE, Services
from sac_core.service.session_stages import resume_stages

_RETRY = 5.0
_SOON = 1.0
_ENDING = 0.1
_SILENT = (UnavailableError.default_reason, DeadlineError.default_reason)
"""Reasons of an error that says nothing but that nobody answered."""
_LIVING = ("Starting", "Running", "Unknown", "Terminating")
"""Phases of agents that may have a body."""


class AgentKeeper:
    """Keeps agents. `settle` returns the seconds after which to look again."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def settle(self, uid: str) -> float | None:
        """Take one step for the agent ``uid``; a lost race raises `ConflictError`, and nothing was written."""
        try:
            record = await self._services.store.read(EVERYWHERE).by_uid("Agent", uid)
        except NotFoundError:
            self._services.bodies.leave(uid)
            self._services.chronicle.forget(uid)
            return None
        if not self._services.leasing.owns(record.owner_server):
            await self._services.outlets.drop(uid)
            return None  # another server's, or nobody's yet: who claims it looks at once
        agent: Agent = documents.to_model(AGENT, record)
        self._meet(agent)
        told: list[Note] = []
        step = await self._contained(record, agent, told)
        if step is None:
            return None
        await self._write(record, agent, step, told)
        return step.again

    def _meet(self, agent: Agent) -> None:
        """Note that this server has taken over what it found."""
        chronicle, created = self._services.chronicle, agent.metadata.creation_timestamp
        before = created is not None and created < chronicle.started
        if chronicle.meets(agent.metadata.uid) and before and agent.status.phase in _LIVING:
            chronicle.note(about(agent), notes.found(agent, chronicle.server))

    async def _contained(self, record: Record, agent: Agent, told: list[Note]) -> Step | None:
        """A step, with every failure of an executor turned into what a person can read in the status."""
        now, status = self._services.now(), transitions.observed(agent.status, agent.metadata.generation)
        try:
            target = self._services.targets.of(agent)
            launch = launch_of(record) if record.launch else None
            return await self._step(Work(self._services, record, agent, launch, target, told))
        except (LaunchError, UnsupportedError, UnavailableError) as error:
            by = documents.abandoned_by(record)
            if by is not None:
                await self._remove(record, agent, told, notes.abandoned(by, str(error)))
                return None
            if isinstance(error, UnavailableError):
                waits = transitions.unreachable(agent.status, now, _waiting_for(error, agent), doing=_doing(agent))
                return Step(waits, _pause(error))
            return Step(transitions.failed(status, now, failed_reason(error.reason), str(error)))
        except (NotReadyError, LostError) as error:
            return Step(agent.status.model_copy(update={"message": str(error)}), _SOON)

    async def _step(self, work: Work) -> Step | None:
        if work.agent.metadata.deletion_timestamp is not None:
            return await self._delete(work)
        if work.agent.spec.state == "Stopped":
            return await self._stop(work)
        if settled(work.agent.status, work.agent.metadata.generation):
            return Step(work.agent.status)
        if work.launch is None:
            return Step(self._running(work, ""))
        return await self._run(work, work.launch)

    async def _run(self, work: Work, launch: Launch) -> Step:
        observed = await work.observe()
        work = work.with_status(transitions.detailed(work.agent.status, observed))
        match observed.phase:
            case "running" if observed.hash == launch.hash and observed.generation == launch.generation:
                return await self._enter(await renewed(_succeeded(work), launch), launch)
            case "pending" | "unknown":
                return await self._starting(_succeeded(work), observed)
            case "failed" if observed.reason in USELESS and observed.hash == launch.hash and work.attempted:
                status = self._seen(work)
                return Step(transitions.failed(status, self._services.now(), observed.reason, observed.message))
            case "exited" | "failed" if observed.hash == launch.hash and work.attempted:
                return await self._ended(work, observed.exit, observed.reason, observed.message)
            case "absent" if not work.fresh and work.agent.status.phase == "Running":
                return await self._ended(work, None, "RemovedOutside", "its body was removed from outside")
            case "exited" | "failed" if work.waits is None:
                self._services.chronicle.expects_another(work.key.uid)
        return await self._ensure(work, launch)

    async def _ensure(self, work: Work, launch: Launch) -> Step:
        if work.waits is not None:
            return Step(transitions.reachable(work.agent.status, self._services.now()), work.waits)
        try:
            opened = await open_secrets(self._services, work.agent, launch)
            observed = await work.ensure(launch, opened.secrets)
        except (LaunchError, UnsupportedError) as error:
            return await self._refused(work, error)
        except UnavailableError as error:
            return await self._not_now(work, error)
        now = self._services.now()
        status = transitions.attempt(transitions.reachable(work.agent.status, now), now, fresh=work.fresh)
        status = transitions.detailed(transitions.delivered(status, now, opened.versions), observed)
        if observed.phase == "terminating":
            status = transitions.postponed(status, work.agent.status, now, fresh=work.fresh)
        work = work.with_status(status)
        if observed.phase == "running" and observed.hash == launch.hash:
            return await self._enter(work, launch)
        return await self._starting(work.with_status(transitions.steps_wanted(status, ())), observed)

    async def _refused(self, work: Work, error: LaunchError | UnsupportedError) -> Step:
        """What is wanted now cannot be: failed, unless the body of an older version runs on."""
        status, now = self._seen(work), self._services.now()
        observed, reason = await work.observe(), failed_reason(error.reason)
        if observed.phase == "running" and status.phase == "Running":
            return Step(transitions.refused(status, now, reason, str(error), observed.generation))
        return Step(transitions.failed(status, now, reason, str(error)))

    async def _not_now(self, work: Work, error: UnavailableError) -> Step:
        """The executor answers, and says why it cannot be started now; one that does not answer has said nothing."""
        if error.reason in _SILENT or work.agent.status.phase == "Running":
            raise error
        now, pause = self._services.now(), _pause(error)
        status = transitions.attempt(self._seen(work), now, fresh=work.fresh)
        body = Observed(key=work.key, phase="absent", message=str(error))
        late = await self._late(work.with_status(status), body)
        return late or Step(transitions.retried(status, now, error.reason, str(error), pause), pause)

    async def _enter(self, work: Work, launch: Launch) -> Step:
        """The body runs: say hello to its holder, start what it is for, look at its processes."""
        if work.waits is not None:
            return Step(work.agent.status, work.waits)
        try:
            body = await enter_body(self._services, work.agent)
        except (NotReadyError, LostError) as error:
            return await self._starting(work, Observed(key=work.key, phase="pending", message=error.message))
        await self._services.outlets.keep(work.agent, body, launch.binding.outlets)
        in_service = work.agent.status.phase == "Running" and work.agent.status.hash == launch.hash
        work, missing = await prepare(work, launch, body)
        if missing is not None and not in_service:
            return await self._unprepared(work, missing)
        if launch.template.command is not None:
            exit = await keep_main(
                self._services, work.agent, body, launch, restart=work.agent.status.next_attempt is not None
            )
            if exit is not None:
                work.told.append(notes.main_ended(work.target.name, exit))
                return await self._ended(work, exit, "", "", body_lives=True)
        prepares = bool(launch.preparation.digest)
        resume_stages(self._services, await audit(self._services, work.agent, body, prepares=prepares))
        running = self._running(work, launch.hash)
        return Step(running) if missing is None else self._unapplied(work, running, missing)

    async def _unprepared(self, work: Work, missing: Missing) -> Step:
        """It cannot begin: its workspace is not ready."""
        if missing.error is not None:
            reason = failed_reason(missing.error.reason)
            return Step(transitions.failed(self._seen(work), self._services.now(), reason, missing.message))
        waits = Observed(key=work.key, phase="pending", reason="Preparing", message=missing.message)
        step = await self._starting(work, waits)
        return Step(step.status, missing.again if step.again is not None else None)

    def _unapplied(self, work: Work, running: AgentStatus, missing: Missing) -> Step:
        """It runs, and a change of its workspace is on its way, or cannot be."""
        if missing.error is None:  # the version that is wanted has not been seen whole
            update = {"observed_generation": work.agent.status.observed_generation}
            return Step(running.model_copy(update=update), missing.again)
        reason = failed_reason(missing.error.reason)
        return Step(transitions.unapplied(running, self._services.now(), reason, missing.message))

    async def _starting(self, work: Work, body: Observed) -> Step:
        late = await self._late(work, body)
        if late is not None:
            return late
        status, now = self._seen(work), self._services.now()
        waited = now - transitions.start_began(status, now, body)
        again = _SOON if body.reason == BUILDING else _poll(waited, told=work.target.watches)
        return Step(transitions.starting(status, now, body), again)

    async def _late(self, work: Work, body: Observed) -> Step | None:
        """It has failed, if its start took too long."""
        status, now, most = self._seen(work), self._services.now(), work.agent.spec.start_timeout
        if now - transitions.start_began(status, now, body) <= timedelta(seconds=most):
            return None
        await work.delete(purge=False)
        text = f"it did not run within {most:g} s; last seen: {body.message or body.phase}"
        return Step(transitions.failed(status, now, "StartTimeout", text))

    async def _ended(
        self, work: Work, exit: Exit | None, reason: str, message: str, *, body_lives: bool = False
    ) -> Step:
        """The body, or what it is for, has ended by itself."""
        if not body_lives:
            self._services.bodies.leave(work.key.uid)
            await self._end_sessions(work, "Lost")
        now, status, text = self._services.now(), self._seen(work), message or describe_exit(exit)
        match after_exit(work.agent.spec, exit):
            case "completed":
                return Step(transitions.completed(status, now, exit, text))
            case "failed":
                return Step(transitions.failed(status, now, ended_reason(reason, exit), text, exit))
        reason = ended_reason(reason, exit)
        return Step(*transitions.restart_later(status, now, reason, text, exit=exit, jitter=_jitter()))

    async def _stop(self, work: Work) -> Step:
        self._services.bodies.leave(work.key.uid)
        observed = await work.stop()
        if observed.phase not in ("absent", "stopped"):
            return Step(transitions.stopping(work.agent.status), _ENDING)
        await self._end_sessions(work, "AgentStopped")
        return Step(transitions.stopped(self._seen(work), self._services.now()))

    async def _delete(self, work: Work) -> Step | None:
        """The body first, then what was declared for it, the row last; then there is nothing to write."""
        keeps = work.agent.spec.keep_volumes
        observed = await work.delete(purge=not keeps)
        if observed.phase != "absent":
            update = {"phase": "Terminating", "reason": "", "message": "its body is ending"}
            return Step(work.agent.status.model_copy(update=update), _ENDING)
        await self._remove(work.record, work.agent, work.told, notes.gone(observed.message if keeps else ""))
        return None

    async def _remove(self, record: Record, agent: Agent, told: list[Note], gone: Note) -> None:
        """Its sessions, and its row last."""
        self._services.bodies.leave(record.uid)
        self._tell(agent, told)
        await end_sessions(self._services, agent, "AgentDeleted", remove=True)
        async with self._services.store.transaction(EVERYWHERE) as unit:
            stored = await unit.by_uid("Agent", record.uid)
            await unit.remove(replace(stored, fence=record.fence))
            await self._services.chronicle.tell(unit, about(agent), [*told, gone])

    async def _end_sessions(self, work: Work, reason: str) -> None:
        self._tell(work.agent, work.told)
        await end_sessions(self._services, work.agent, reason)

    def _tell(self, agent: Agent, told: list[Note]) -> None:
        """Tell what led to what follows, before it is done."""
        self._services.chronicle.note(about(agent), *told)
        told.clear()

    def _running(self, work: Work, launch_hash: str) -> AgentStatus:
        return transitions.running(self._seen(work), self._services.now(), launch_hash)

    def _seen(self, work: Work) -> AgentStatus:
        status = transitions.reachable(work.agent.status, self._services.now())
        return transitions.observed(status, work.agent.metadata.generation)

    async def _write(self, record: Record, agent: Agent, step: Step, told: list[Note]) -> None:
        """Write the status if it changed, with what led to it, and when to look again."""
        told = [*told, *_turns(agent.status, step.status)]
        again = step.again
        deadline = None if again is None else self._services.now() + timedelta(seconds=again)
        wire = step.status.to_wire()
        if wire == record.status:
            self._services.chronicle.note(about(agent), *told)
            if deadline is None and record.deadline is None:
                return
        async with self._services.store.transaction(EVERYWHERE) as unit:
            if wire == record.status:
                await unit.defer(record, deadline)
            else:
                await unit.update(replace(record, status=wire, deadline=deadline))
                await self._services.chronicle.tell(unit, about(agent), told)


def _turns(before: AgentStatus, after: AgentStatus) -> list[Note]:
    """What a timeline is told of a change of status: an executor that is back, another phase, or another reason."""
    back = transitions.away(before) and not transitions.away(after)
    turned = (before.phase, _why(before)) != (after.phase, _why(after))
    return [
        *([notes.answers_again(str(after.placement))] if back else []),
        *([notes.phase(after)] if turned else []),
    ]


def _succeeded(work: Work) -> Work:
    return work.with_status(transitions.succeeded(work.agent.status))


def _why(status: AgentStatus) -> str:
    """Its reason; that nobody answers is told by the calls that failed."""
    return "" if status.reason == transitions.UNAVAILABLE else status.reason


def _waiting_for(error: UnavailableError, agent: Agent) -> str:
    """What it waits for, and how to end that where it may last for ever."""
    if agent.metadata.deletion_timestamp is None:
        return str(error)
    return f"{error}; if its executor never comes back: sac delete --abandon {agent.metadata.name}"


def _doing(agent: Agent) -> AgentPhase | None:
    """The phase of what an executor that does not answer keeps waiting; None when nothing of the agent does."""
    if agent.metadata.deletion_timestamp is not None:
        return "Terminating"
    if agent.status.phase in ("Pending", "Starting"):
        return agent.status.phase
    fresh = agent.status.observed_generation != agent.metadata.generation
    ended = agent.status.phase in ("Stopped", "Completed", "Failed")
    return "Starting" if agent.spec.state == "Running" and fresh and ended else None


def _pause(error: UnavailableError) -> float:
    """Seconds until it is tried again."""
    return (error.retry_after or _RETRY) * _jitter()


def _poll(waited: timedelta, *, told: bool) -> float:
    """How soon to look at a starting body again: often at first, every five seconds at last.

    One whose executor watches is ``told`` of: more looks would take their time from twenty that start at once.
    """
    return min(max(waited.total_seconds() * 0.5, _SOON if told else 0.02), 5.0)


def _jitter() -> float:
    return random.uniform(0.9, 1.1)
