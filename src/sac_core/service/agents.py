"""Agents: declaring them, starting and stopping, waiting, logs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal, overload

import anyio

from sac_core.contracts.conversation import Conversation
from sac_core.contracts.sac import Agents
from sac_core.contracts.store import Record, Scope, Unit
from sac_core.errors import ConflictError, DeadlineError, InvalidError, NotFoundError, NotReadyError
from sac_core.models.agent import Agent, AgentPhase, AgentSpec, AgentStatus, ExecutorRef
from sac_core.models.base import parse
from sac_core.models.cause import Timeline
from sac_core.models.launch import Launch
from sac_core.models.lifecycle import reached, refusal, settled
from sac_core.models.placement import Placement, placement_in
from sac_core.models.principal import PLATFORM, SYSTEM
from sac_core.models.process import Chunk
from sac_core.models.secret_ref import SecretRef, secret_refs
from sac_core.models.secret_use import SecretUse
from sac_core.service import documents, notes, runtimes
from sac_core.service.bodies import MAIN
from sac_core.service.conversing import converse
from sac_core.service.explaining import about_record
from sac_core.service.opener import launch_of
from sac_core.service.resources import StoredResources, allow
from sac_core.service.secret_binding import bind_secrets
from sac_core.service.target_choice import chosen
from sac_core.service.workspace_binding import bind_workspace

log = logging.getLogger("sac.agents")


class AgentService(StoredResources[Agent], Agents):
    """Agents of one scope."""

    fields = ("metadata.name", "status.phase", "status.executor", "status.target")

    async def create(
        self,
        name: str,
        spec: AgentSpec | Mapping[str, Any] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Agent:
        wire = spec.to_wire() if isinstance(spec, AgentSpec) else dict(spec or {})
        metadata = {"name": name, "labels": dict(labels or {}), "annotations": dict(annotations or {})}
        return await self.create_from({"metadata": metadata, "spec": wire}, idempotency_key=idempotency_key)

    async def delete(
        self, name: str, *, resource_version: str | None = None, keep_volumes: bool = False, abandon: bool = False
    ) -> None:
        self._allow("delete")
        async with self._services.store.transaction(self._scope) as unit:
            old = await self._guarded(unit, name, resource_version)
            if abandon:
                await self._abandon(unit, old, keeps=keep_volumes)
            else:
                await self._mark_deleted(unit, old, _keeping_volumes(old) if keep_volumes else old)

    async def _abandon(self, unit: Unit, old: Record, *, keeps: bool) -> None:
        """Mark for deletion, whether its executor answers or not; also what is being deleted already."""
        if keeps or old.spec.get("keepVolumes"):
            message = "what an abandoned agent leaves is removed if it is ever found, and its volumes with it"
            raise InvalidError(message, field="abandon", hint="set keepVolumes to false, or wait for the executor")
        new = documents.abandoned(old, self._scope.principal.id)
        if old.deleted_at is None:
            await self._mark_deleted(unit, old, new)
        elif new != old:
            await self.explain_(unit, "abandon", old, await unit.update(replace(new, deadline=self._services.now())))

    async def start(self, name: str) -> Agent:
        allow(self._scope, "agents:start")
        agent = await self._known(name)
        waits = settled(agent.status, agent.metadata.generation) or refusal(agent.status) is not None
        again = {"restartedAt": self._services.now().isoformat()} if waits else {}
        return await self._set(name, {"state": "Running", **again}, "start")

    async def stop(self, name: str) -> Agent:
        allow(self._scope, "agents:stop")
        return await self._set(name, {"state": "Stopped"}, "stop")

    async def restart(self, name: str) -> Agent:
        allow(self._scope, "agents:restart")
        restarted = {"state": "Running", "restartedAt": self._services.now().isoformat()}
        return await self._set(name, restarted, "restart")

    @overload
    async def wait(self, name: str, phase: AgentPhase = "Running", *, timeout: float = 300) -> Agent: ...

    @overload
    async def wait(self, name: str, phase: Literal["absent"], *, timeout: float = 300) -> Agent | None: ...

    async def wait(
        self, name: str, phase: AgentPhase | Literal["absent"] = "Running", *, timeout: float = 300
    ) -> Agent | None:
        self._allow("get")
        seen: Agent | None = None
        uid = ""
        with anyio.move_on_after(timeout):
            while True:
                version = await self._services.store.version()
                try:
                    now = await self._known(name)
                except NotFoundError:
                    if phase == "absent":
                        return seen
                    raise
                uid = uid or now.metadata.uid
                if phase == "absent" and now.metadata.uid != uid:
                    return seen
                seen = now
                if reached(seen, phase):
                    return seen
                await self._services.store.wait_changed(version, timeout)
        raise DeadlineError(_waited(name, seen, phase, timeout))

    async def logs(self, name: str, *, follow: bool = False, since: int = 0) -> AsyncIterator[Chunk]:
        allow(self._scope, "agents:logs")
        agent = await self._known(name)
        if agent.spec.command is None:
            raise NotReadyError(
                f"agent {name!r} has no main process, so it has no log",
                hint="give it a command, or open a terminal: sac attach",
            )
        body = await self._services.bodies.enter(agent, self._services.targets.of(agent))
        process = await body.find(MAIN)
        if process is None:
            raise NotReadyError(f"the main process of agent {name!r} has not been started yet")
        end = None if follow else await body.output_end(MAIN)
        if end is not None and since >= end:
            return
        async for chunk in process.output(since):
            yield chunk
            if end is not None and chunk.end >= end:
                return

    @asynccontextmanager
    async def converse(self, name: str, *, resume: str | None = None) -> AsyncIterator[Conversation]:
        allow(self._scope, "agents:converse")
        async with converse(self._services, self._scope, name, resume) as conversation:
            yield conversation

    async def timeline(self, name: str) -> Timeline:
        self._allow("get")
        return await self._services.store.causes(self._scope).timeline(name)

    async def prepare_(self, unit: Unit, record: Record) -> Record:
        """Choose the executor, check options, and compute the launch that is stored with the row."""
        at = await self._placed(unit, record)
        plugin = self._services.registry.executor(at.executor)
        spec = {**record.spec, "executor": record.spec.get("executor") or at.executor}
        record = replace(record, spec=spec, status=_pending(record.status, at, plugin.isolated))
        agent: Agent = documents.to_model(self._kind, record)
        options = parse(plugin.options, agent.spec.options, field="spec.options")
        own = runtimes.secrets(self._services.registry, agent)
        launch = runtimes.launch(self._services.registry, agent)
        launch = await self._with_secrets(unit, record, agent, secret_refs(options), own, launch)
        launch = await self._with_workspace(unit, record, agent, launch)
        return replace(
            record,
            launch=launch.to_wire() if launch else None,
            owner_server=record.owner_server or self._owner(at),
            deadline=self._services.now(),
        )

    async def _placed(self, unit: Unit, record: Record) -> Placement:
        """Where its body goes, or is: what its spec does not say is as it was, or the default."""
        spec, before = parse(AgentSpec, record.spec, field="spec"), placement_in(record.status)
        ref = spec.executor_ref or ExecutorRef(name=before.executor if before else self._services.default_executor)
        self._services.registry.executor(ref.name)
        return await chosen(unit.reading(Scope(SYSTEM, PLATFORM)), before, ref)

    async def _with_secrets(
        self,
        unit: Unit,
        record: Record,
        agent: Agent,
        options: Mapping[str, SecretRef],
        own: Mapping[str, SecretUse],
        launch: Launch | None,
    ) -> Launch | None:
        if not agent.spec.secrets and not options and not own:
            return launch
        if launch is None:
            field = "spec.secrets" if agent.spec.secrets else "spec.options" if options else "spec.runtimeOptions"
            raise InvalidError("this runtime has no body that secrets could go into", field=field)
        before = launch_of(record).binding.secrets
        target = self._services.targets.opened.get(agent.status.placement)
        files = target is None or target.files
        runtime = self._services.registry.runtime(agent.spec.runtime)
        takes = {type: form.option for type, form in runtime.secrets.items()}
        bound = await bind_secrets(unit, self._scope, agent, options, own, before, files=files, takes=takes)
        return launch.model_copy(update={"binding": launch.binding.model_copy(update={"secrets": bound})})

    async def _with_workspace(self, unit: Unit, record: Record, agent: Agent, launch: Launch | None) -> Launch | None:
        registry, before = self._services.registry, launch_of(record).preparation
        places, programs = runtimes.places(registry, agent), runtimes.programs(registry, agent)
        return await bind_workspace(unit, self._scope, agent, places, programs, launch, before)

    def _owner(self, at: Placement) -> str | None:
        """This server, if it can work on the agent; another one finds it soon."""
        return self._services.leasing.server if self._services.targets.may_serve(at) else None

    async def _known(self, name: str) -> Agent:
        return self._model(await self._read(name))

    async def explain_(self, unit: Unit, verb: str, old: Record | None, new: Record) -> None:
        """Request, version and phase, in this order: each is the cause of the next."""
        told = [notes.request(self._scope, verb, old, new)]
        if old is None or old.generation != new.generation:
            told.append(notes.version(self._scope.principal.id, old, new))
            told.extend(_rooted(self._scope.principal.id, old, new))
        phases = [AgentStatus.model_validate(each.status) if each else None for each in (old, new)]
        if phases[1] is not None and (phases[0] is None or phases[0].phase != phases[1].phase):
            told.append(notes.phase(phases[1]))
        await self._services.chronicle.tell(unit, about_record(new), told)

    async def _set(self, name: str, spec: Mapping[str, Any], verb: str) -> Agent:
        async with self._services.store.transaction(self._scope) as unit:
            old = await self._guarded(unit, name, None)
            document = documents.merge(documents.as_document(old), {"spec": spec})
            return self._model(await self._change(unit, old, document, verb))


def _pending(status: Mapping[str, Any], at: Placement, isolated: bool) -> dict[str, Any]:
    return {"phase": "Pending", **status, "executor": at.executor, "target": at.target, "isolated": isolated}


def _rooted(actor: str, old: Record | None, new: Record) -> Iterator[notes.Note]:
    """The way out of the ordinary profiles is audited: in the timeline, and in the server's log."""
    if new.spec.get("profile") == "dev-root" and (old is None or old.spec.get("profile") != "dev-root"):
        log.warning("agent %s/%s (%s) gets the profile dev-root, by %s", new.tenant, new.name, new.uid, actor)
        yield notes.rooted(actor, new.generation)


def _keeping_volumes(record: Record) -> Record:
    """The record of an agent that leaves its volumes; raises `ConflictError` when they are going already."""
    if record.spec.get("keepVolumes"):
        return record
    if record.deleted_at is not None:
        message = f"agent {record.name!r} is being deleted, with its volumes"
        raise ConflictError(message, reason="Terminating", field="keepVolumes")
    return replace(record, spec={**record.spec, "keepVolumes": True}, generation=record.generation + 1)


def _waited(name: str, seen: Agent | None, phase: str, timeout: float) -> str:
    if seen is None:
        return f"the database did not answer within {timeout:g} s"
    last = f"{seen.status.phase} ({seen.status.message})" if seen.status.message else seen.status.phase
    return f"agent {name!r} did not become {phase} within {timeout:g} s; it is {last}"
