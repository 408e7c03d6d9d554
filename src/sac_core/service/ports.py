"""Ports of agents: who may reach which, and the way there. What answers is the body's own, hostile bytes."""

from __future__ import annotations

from anyio.abc import ByteStream

from sac_core.contracts.store import EVERYWHERE, Record, Scope
from sac_core.errors import NotFoundError
from sac_core.models.agent import Agent
from sac_core.models.kind import AGENT
from sac_core.models.principal import Principal
from sac_core.service import documents
from sac_core.service.bodies import key_of
from sac_core.service.opener import launch_of, require_running
from sac_core.service.resources import allow
from sac_core.service.services import Services

PERMISSION = "agents:dial"


async def dial(services: Services, principal: Principal, uid: str, port: int) -> ByteStream:
    """A stream to a port of the agent with this uid; `NotFoundError` for one of a tenant that is none of its own."""
    scope, record = await find(services, principal, uid)
    allow(scope, PERMISSION)
    agent: Agent = documents.to_model(AGENT, record)
    require_declared(record, port)
    require_running(agent)
    target = services.targets.of(agent)
    if target.dials:
        return await target.executor.dial(key_of(agent), port)
    return await (await services.bodies.enter(agent, target)).dial(port)


async def require(services: Services, principal: Principal, uid: str, port: int) -> None:
    """Raise `NotFoundError` or `ForbiddenError` unless a principal may dial a port that is declared."""
    scope, record = await find(services, principal, uid)
    allow(scope, PERMISSION)
    require_declared(record, port)


async def find(services: Services, principal: Principal, uid: str) -> tuple[Scope, Record]:
    """An agent by uid, as a principal sees it."""
    record = await services.store.read(EVERYWHERE).by_uid("Agent", uid)
    if not principal.may_enter(record.tenant):
        raise NotFoundError(f"there is no Agent {uid!r}")
    return Scope(principal, record.tenant), record


def require_declared(record: Record, port: int) -> None:
    """Raise `NotFoundError` unless an agent declares a port."""
    declared = launch_of(record).template.ports
    if port not in [each.port for each in declared]:
        known = ", ".join(f"{each.port} ({each.name})" for each in declared) or "none"
        raise NotFoundError(
            f"agent {record.name!r} declares no port {port}", field="port", hint=f"declared in spec.ports: {known}"
        )
