"""Files of agents of one scope: who may, in which agent; `archives` does the moving."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from functools import partial

from sac_core.contracts.files import Files
from sac_core.contracts.store import Scope
from sac_core.models.file import FileStat
from sac_core.service.archives import Reach, read_archive, stat_path, write_archive
from sac_core.service.execs import open_exec
from sac_core.service.opener import enter_body, running_agent
from sac_core.service.resources import allow
from sac_core.service.services import Services


class FileService(Files):
    """Files of running agents of one scope."""

    def __init__(self, services: Services, scope: Scope) -> None:
        self._services = services
        self._scope = scope

    async def stat(self, agent: str, path: str) -> FileStat:
        allow(self._scope, "files:get")
        return await stat_path(await self._reach(agent), path)

    async def get(self, agent: str, path: str) -> AsyncGenerator[bytes]:
        allow(self._scope, "files:get")
        async with aclosing(read_archive(await self._reach(agent), path)) as pieces:
            async for piece in pieces:
                yield piece

    async def put(self, agent: str, path: str, tar: AsyncIterable[bytes]) -> None:
        allow(self._scope, "files:put")
        await write_archive(await self._reach(agent), path, tar)

    async def _reach(self, agent: str) -> Reach:
        """Its commands get the agent's plain variables, and none of its secrets: a tar needs none."""
        known, launch = await running_agent(self._services, self._scope, agent)
        body = await enter_body(self._services, known)
        return Reach(partial(open_exec, body), launch.binding.env, launch.template.cwd)
