"""Agents over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, overload

from sac_core.client.connection import Connection
from sac_core.client.conversation import open_conversation
from sac_core.client.kinds import AGENT_KIND
from sac_core.client.resources import HttpResources, guard
from sac_core.client.waiting import wait
from sac_core.contracts.conversation import Conversation
from sac_core.contracts.sac import Agents
from sac_core.models.agent import Agent, AgentPhase, AgentSpec
from sac_core.models.base import parse
from sac_core.models.cause import Timeline
from sac_core.models.process import Chunk

OFFSET_HEADER = "SAC-Offset"
"""The offset of a log's first byte: later than asked for when what is older has gone."""


class HttpAgents(HttpResources[Agent], Agents):
    """Declared workloads of a server."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, AGENT_KIND)

    async def create(
        self,
        name: str,
        spec: AgentSpec | Mapping[str, Any] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Agent:
        metadata: dict[str, Any] = {"name": name, "labels": dict(labels or {}), "annotations": dict(annotations or {})}
        wire = spec.to_wire() if isinstance(spec, AgentSpec) else dict(spec or {})
        return await self.create_from({"metadata": metadata, "spec": wire}, idempotency_key=idempotency_key)

    async def delete(
        self, name: str, *, resource_version: str | None = None, keep_volumes: bool = False, abandon: bool = False
    ) -> None:
        query = {flag: "true" for flag, asked in (("keepVolumes", keep_volumes), ("abandon", abandon)) if asked}
        await self._connection.request("DELETE", self._path(name), query=query, headers=guard(resource_version))

    async def start(self, name: str) -> Agent:
        return await self._act(name, "start")

    async def stop(self, name: str) -> Agent:
        return await self._act(name, "stop")

    async def restart(self, name: str) -> Agent:
        return await self._act(name, "restart")

    @overload
    async def wait(self, name: str, phase: AgentPhase = "Running", *, timeout: float = 300) -> Agent: ...

    @overload
    async def wait(self, name: str, phase: Literal["absent"], *, timeout: float = 300) -> Agent | None: ...

    async def wait(
        self, name: str, phase: AgentPhase | Literal["absent"] = "Running", *, timeout: float = 300
    ) -> Agent | None:
        return await wait(self, name, phase, timeout)

    async def logs(self, name: str, *, follow: bool = False, since: int = 0) -> AsyncGenerator[Chunk]:
        query = {"follow": "true" if follow else "false", "since": str(since)}
        async with self._connection.stream(self._path(name, "logs"), query=query) as response:
            offset = int(response.headers.get(OFFSET_HEADER, since))
            async for data in response.aiter_bytes():
                yield Chunk("stdout", offset, data)
                offset += len(data)

    def converse(self, name: str, *, resume: str | None = None) -> AbstractAsyncContextManager[Conversation]:
        return open_conversation(self._connection, name, resume)

    async def timeline(self, name: str) -> Timeline:
        answer = await self._connection.request("GET", self._path(name, "timeline"))
        return parse(Timeline, answer, field="timeline")

    async def _act(self, name: str, verb: str) -> Agent:
        return self._read(await self._connection.request("POST", self._path(name, verb)))
