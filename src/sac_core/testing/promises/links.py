"""Processes of a body by whichever way its executor offers: its holder, or the executor itself."""

from __future__ import annotations

from typing import Self

import anyio
from anyio.abc import ByteStream

from sac_core.contracts.executor import Executor
from sac_core.contracts.process import Process
from sac_core.held import HolderLink, open_link
from sac_core.models.body import Key
from sac_core.models.process import Command

PATIENCE = 20.0
"""Seconds for a link to greet or to end."""


class HostedLink:
    """A link that lives in a task of its own, so that any task may open and close it."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._settled, self._leave, self._left = anyio.Event(), anyio.Event(), anyio.Event()
        self._link: HolderLink | None = None
        self._error: Exception | None = None

    async def host(self) -> None:
        try:
            async with open_link(self._stream) as self._link:
                self._settled.set()
                await self._leave.wait()
        except Exception as error:
            # Told to everyone who asks for the link.
            self._error = error
        finally:
            self._settled.set()
            self._left.set()

    async def link(self) -> HolderLink:
        """The link once it greeted; raises what went wrong."""
        await self._settled.wait()
        if self._error is not None:
            raise self._error
        assert self._link is not None
        return self._link

    @property
    def usable(self) -> bool:
        return not self._left.is_set() and (self._link is None or not self._link.closed.is_set())

    async def close(self) -> None:
        """Raises TimeoutError when the link does not end, rather than let a test hang."""
        self._leave.set()
        with anyio.fail_after(PATIENCE):
            await self._left.wait()


class Links:
    """Opens processes; keeps one link per body that has a holder."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._tasks = anyio.create_task_group()
        self._links: dict[Key, HostedLink] = {}

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        for key in list(self._links):
            await self.close(key)
        await self._tasks.__aexit__(None, None, None)

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        """As `Executor.open_process`, through the holder where there is one."""
        hosted = self._links.get(key)
        if hosted is None or not hosted.usable:
            await self.close(key)
            stream = await self._executor.open_holder(key)
            if stream is None:
                return await self._executor.open_process(key, process_id, command)
            hosted = self._links[key] = HostedLink(stream)
            self._tasks.start_soon(hosted.host)
        return await (await hosted.link()).open_process(process_id, command)

    async def close(self, key: Key) -> None:
        """Let go of the body's link, before the body goes."""
        hosted = self._links.pop(key, None)
        if hosted is not None:
            await hosted.close()
