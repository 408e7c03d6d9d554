"""Sessions: opening one in a running agent, and becoming a viewer of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from sac_core.contracts.causes import About
from sac_core.contracts.sac import Sessions, Terminal
from sac_core.contracts.store import Record, Unit
from sac_core.errors import (
    InvalidError,
    LaunchError,
    LostError,
    NotFoundError,
    NotReadyError,
    SacError,
    UnavailableError,
)
from sac_core.models.agent import Agent
from sac_core.models.kind import AGENT
from sac_core.models.process import TtySize
from sac_core.models.recording import RecordingPolicy
from sac_core.models.session import Session
from sac_core.service import documents, notes, runtimes
from sac_core.service.explaining import about_session
from sac_core.service.opener import find_session
from sac_core.service.recording.policy import recorded
from sac_core.service.resources import StoredResources, allow
from sac_core.service.session_stages import open_seen
from sac_core.service.stages.follower import STAGE_UNAVAILABLE
from sac_core.wire.terminal import Role


class SessionService(StoredResources[Session], Sessions):
    """Sessions of one scope."""

    fields = ("metadata.name", "status.phase", "spec.agent")

    async def create(
        self,
        agent: str,
        *,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        tty: TtySize | tuple[int, int] | None = None,
        recording: RecordingPolicy | None = None,
        idempotency_key: str | None = None,
    ) -> Session:
        cols, rows = (tty.cols, tty.rows) if isinstance(tty, TtySize) else tty or (80, 24)
        spec: dict[str, Any] = {"agent": agent, "tty": {"cols": cols, "rows": rows}, "env": dict(env or {})}
        spec |= {"command": list(command)} if command is not None else {}
        spec |= {"cwd": cwd} if cwd is not None else {}
        spec |= {"recording": recording} if recording is not None else {}
        return await self.create_from({"spec": spec}, idempotency_key=idempotency_key)

    async def create_from(self, document: Mapping[str, Any], *, idempotency_key: str | None = None) -> Session:
        session = await super().create_from(document, idempotency_key=idempotency_key)
        if session.status.phase != "Pending":
            return session
        try:
            await open_seen(self._services, session)
        except (LaunchError, NotReadyError, InvalidError) as error:
            await self._withdraw(session, error)
            raise
        except UnavailableError as error:
            if error.reason == STAGE_UNAVAILABLE:
                await self._withdraw(session, error)
            raise
        except LostError as error:
            await self._withdraw(session, error)
            raise NotReadyError(
                f"agent {session.spec.agent!r} has just ended or been stopped",
                field="spec.agent",
                hint=f"wait for it, or start it: sac start {session.spec.agent}",
            ) from None
        return self._model(await self._read(session.metadata.name))

    @asynccontextmanager
    async def attach(self, name: str, *, since: int | None = None, mode: Role | None = None) -> AsyncIterator[Terminal]:
        allow(self._scope, "sessions:attach")
        uid, about = _identity(await self._read(name))  # the record itself would be kept as long as the viewer

        async def find() -> Any:
            return await find_session(self._services, self._model(await self._read(name)))

        def taken() -> None:
            self._services.chronicle.note(about, notes.taken_over(self._scope, name))

        attached = self._services.hub.attach(
            uid, name, find, principal=self._scope.principal.id, since=since, mode=mode, taken=taken
        )
        async with attached as terminal:
            self._services.chronicle.note(about, notes.attached(self._scope, name, terminal.role))
            yield terminal

    async def prepare_(self, unit: Unit, record: Record) -> Record:
        """Bind the session to an agent that runs, and choose its command."""
        session: Session = documents.to_model(self._kind, record)
        agent: Agent = documents.to_model(AGENT, await unit.get("Agent", session.spec.agent))
        if agent.status.phase != "Running" or agent.metadata.deletion_timestamp is not None:
            raise NotReadyError(
                f"agent {session.spec.agent!r} is {agent.status.phase}, not Running",
                field="spec.agent",
                hint=f"start it, or wait for it: sac start {session.spec.agent}",
            )
        command = session.spec.command or self._terminal_of(agent)
        return replace(
            record,
            spec={**record.spec, "command": list(command), **recorded(self._services, session.spec)},
            status={"phase": "Pending", "agentUid": agent.metadata.uid},
            deadline=self._services.now(),
            owner_server=record.owner_server or self._services.leasing.server,
            meta={
                **record.meta,
                "ownerReferences": [{"kind": "Agent", "name": agent.metadata.name, "uid": agent.metadata.uid}],
            },
        )

    async def explain_(self, unit: Unit, verb: str, old: Record | None, new: Record) -> None:
        note = notes.opened(self._scope, new) if old is None else notes.closing(self._scope, new.name)
        await self._services.chronicle.tell(unit, about_session(new), [note])

    def _terminal_of(self, agent: Agent) -> tuple[str, ...]:
        command = runtimes.terminal(self._services.registry, agent)
        if command is None:
            raise NotReadyError(
                f"runtime {agent.spec.runtime!r} has no terminal of its own",
                field="spec.command",
                hint="name a command",
            )
        return command.argv

    async def _withdraw(self, session: Session, error: SacError) -> None:
        """Remove the row of a session that could not be opened, if its agent has not taken it along."""
        await self._services.stages.withdraw(session.metadata.uid, error.reason)
        with suppress(NotFoundError):
            async with self._services.store.transaction(self._scope) as unit:
                record = await unit.by_uid("Session", session.metadata.uid)
                await unit.remove(record)
                failed = notes.not_opened(session.metadata.name, error)
                await self._services.chronicle.tell(unit, about_session(record), [failed])


def _identity(record: Record) -> tuple[str, About]:
    return record.uid, about_session(record)
