"""Brings one session from what is seen to what is declared."""

from __future__ import annotations

from datetime import timedelta

from sac_core.contracts.process import Process
from sac_core.contracts.store import Record
from sac_core.errors import LaunchError, LostError, NotFoundError, NotReadyError, UnavailableError
from sac_core.models.process import Exit
from sac_core.models.session import Session
from sac_core.service.opener import agent_of, enter_body, session_model
from sac_core.service.process_audit import end_session, remove_session
from sac_core.service.services import EVERYWHERE, Services
from sac_core.service.session_stages import open_seen

_SOON = 1.0
_GIVE_UP = timedelta(minutes=5)


class SessionKeeper:
    """Keeps sessions. `settle` returns the seconds after which to look again."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def settle(self, uid: str) -> float | None:
        """Take one step for the session ``uid``."""
        try:
            record = await self._read(uid)
        except NotFoundError:
            return None
        if not await self._is_ours(record):
            return None
        session = session_model(record)
        if record.deleted_at is not None or self._expired(record, session):
            return await self._remove(record, session)
        match session.status.phase:
            case "Pending":
                return await self._open(record, session)
            case "Running":
                return await self._look(record, session)
        return None

    async def _is_ours(self, record: Record) -> bool:
        """Whether this server opened it, or has its agent when no living server did."""
        leasing = self._services.leasing
        if record.owner_server is not None and leasing.alive(record.owner_server):
            return leasing.owns(record.owner_server)
        try:
            agent = await self._services.store.read(EVERYWHERE).by_uid("Agent", record.status.get("agentUid", ""))
        except NotFoundError:
            return leasing.left > 0
        return leasing.owns(agent.owner_server)

    async def _open(self, record: Record, session: Session) -> float | None:
        try:
            await open_seen(self._services, session)
        except (LaunchError, NotFoundError) as error:
            await self._services.stages.withdraw(record.uid, error.reason)
            await end_session(self._services, record, Exit(reason=error.reason))
        except (NotReadyError, LostError, UnavailableError):
            created = record.created_at or self._services.now()
            if self._services.now() - created < _GIVE_UP:
                return _SOON
            await self._services.stages.withdraw(record.uid, "Lost")
            await end_session(self._services, record, Exit(reason="Lost"))
        return None

    async def _look(self, record: Record, session: Session) -> float | None:
        agent, _ = await agent_of(self._services, session)
        body = self._services.bodies.entered(agent.metadata.uid)
        if body is None:
            return None  # the agent's own step enters it and looks at all of its sessions
        known = await body.look(record.uid)
        if known is None:
            await end_session(self._services, record, Exit(reason="Lost"))
        elif known.exit is not None:
            await end_session(self._services, record, known.exit)
        return None

    async def _remove(self, record: Record, session: Session) -> float | None:
        """End the process and forget it, then remove the row: in this order, so that nothing is left behind."""
        try:
            process = await self._process(session)
            if process is not None:
                await process.aclose()
        except (NotReadyError, UnavailableError):
            return _SOON
        await remove_session(self._services, record, Exit(reason="Deleted"))
        return None

    async def _process(self, session: Session) -> Process | None:
        """The process, or None when its body has gone, and it with it."""
        try:
            agent, _ = await agent_of(self._services, session)
        except NotFoundError:
            return None
        try:
            body = await enter_body(self._services, agent)
            return await body.find(session.metadata.uid)
        except LostError:
            return None
        except NotReadyError:
            if agent.status.phase in ("Starting", "Pending", "Running", "Unknown"):
                raise
            return None

    def _expired(self, record: Record, session: Session) -> bool:
        due = record.deadline is not None and record.deadline <= self._services.now()
        return session.status.phase == "Ended" and due

    async def _read(self, uid: str) -> Record:
        return await self._services.store.read(EVERYWHERE).by_uid("Session", uid)
