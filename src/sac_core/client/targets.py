"""Targets over HTTP."""

from __future__ import annotations

from sac_core.client.connection import Connection
from sac_core.client.kinds import TARGET_KIND
from sac_core.client.resources import HttpResources
from sac_core.contracts.sac import Targets
from sac_core.models.agent import ExecutorRef
from sac_core.models.base import parse
from sac_core.models.body import Probe
from sac_core.models.target import Target

_TEST_TIMEOUT = 60.0


class HttpTargets(HttpResources[Target], Targets):
    """Targets of a server."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, TARGET_KIND)

    async def test(self, name: str) -> Probe:
        answer = await self._connection.request("POST", self._path(name, "test"), timeout=_TEST_TIMEOUT)
        return parse(Probe, answer, field="probe")

    async def set_default(self, name: str, *, executor: str | None = None) -> ExecutorRef:
        query = {"executor": executor} if executor else {}
        answer = await self._connection.request("POST", self._path(name, "set-default"), query=query)
        return parse(ExecutorRef, answer, field="executor")
