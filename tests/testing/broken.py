"""Executors that break one promise each, as plausible mistakes do; the suite must catch every one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.contracts.process import Process
from sac_core.models.body import Key, Observed, body_labels
from sac_core.models.launch import Launch, Secrets
from sac_core.models.process import Command
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_contract import SimulatedExecutorContract
from sac_core.testing.simulated_target import SimulatedBody


class SecondBody(SimulatedExecutor):
    """Creates without looking whether it has been created."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        seen = await super().ensure(key, launch, secrets)
        self._create(key, launch, secrets)
        return seen


class Restarter(SimulatedExecutor):
    """Recreates a body that is just what is wanted."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        body = self._find(key)
        if body is not None and body.launch.generation <= launch.generation:
            body.remove(0.0)
        return await super().ensure(key, launch, secrets)


class TwoAlive(SimulatedExecutor):
    """Creates the new body while the old one is still ending."""

    def _find(self, key: Key) -> SimulatedBody | None:
        found = super()._find(key)
        return None if found is not None and found.phase == "terminating" else found


class AcceptsOlder(SimulatedExecutor):
    """Forgets that calls can arrive late."""

    def _refuse_older(self, body: SimulatedBody | None, generation: int) -> None:
        pass


class ListsRunningOnly(SimulatedExecutor):
    """Lists as `docker ps` does, without ``--all``."""

    async def bodies(self) -> AsyncIterator[Observed]:
        async for seen in super().bodies():
            if seen.phase == "running":
                yield seen


class TouchesForeign(SimulatedExecutor):
    """Finds bodies by uid and looks at no owner."""

    def _find(self, key: Key) -> SimulatedBody | None:
        return next(self.target.bodies(key.uid), None)


class LeaksTask(SimulatedExecutor):
    """Starts a poller that nobody ends."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        self.poller = asyncio.create_task(asyncio.sleep(3600.0), name="leaked poller")
        return await super().ensure(key, launch, secrets)


class BlocksLoop(SimulatedExecutor):
    """Calls a vendor's synchronous client on the loop."""

    async def observe(self, key: Key) -> Observed:
        time.sleep(0.06)  # noqa: ASYNC251 - the fault itself
        return await super().observe(key)


class WaitsForRunning(SimulatedExecutor):
    """Returns only when the body runs."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        seen = await super().ensure(key, launch, secrets)
        while seen.phase == "pending":
            await asyncio.sleep(0.01)
            seen = await super().observe(key)
        return seen


class ForgetsCancelled(SimulatedExecutor):
    """Labels a body in a second step, which a cancelled caller never comes to."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        if self._find(key) is None:
            body = self.target.create(key, {}, launch, secrets)
            await asyncio.sleep(0)
            body.labels = body_labels(self.owner, key, generation=launch.generation, hash=launch.hash)
        return await super().ensure(key, launch, secrets)


class SecretInLabel(SimulatedExecutor):
    """Keeps a secret where the whole cluster reads it."""

    def _create(self, key: Key, launch: Launch, secrets: Secrets) -> None:
        super()._create(key, launch, secrets)
        body = self._find(key)
        if body is not None and secrets.env:
            body.labels["env"] = " ".join(secrets.env.values())


class DeliversOnce(SimulatedExecutor):
    """Takes a body that runs for one that needs nothing."""

    def _deliver(self, key: Key, launch: Launch, secrets: Secrets) -> None:
        return


class IgnoresWishes(SimulatedExecutor):
    """Starts what it cannot honour."""

    def _refuse_unsupported(self, launch: Launch) -> None:
        pass


class VendorError(Exception):
    """What a vendor's library raises."""


class RaisesVendors(SimulatedExecutor):
    """Lets a vendor's error through."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        if self._find(key) is None:
            raise VendorError("404 no such container")
        return await super().open_process(key, process_id, command)


class LeavesBody(SimulatedExecutor):
    """Takes off the label before the body is gone."""

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        body = self._find(key)
        if body is not None:
            self._refuse_older(body, generation)
            body.labels = {}
        return await super().delete(key, generation=generation, grace=grace, purge=purge)


class BrokenContract(SimulatedExecutorContract):
    """The suite on one of the broken executors: subclasses say which."""

    broken: type[SimulatedExecutor]
    timeout = 1.0

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        return self._open(context)

    @asynccontextmanager
    async def _open(self, context: PluginContext) -> AsyncIterator[Executor]:
        executor = self.broken(self.target, context.owner)
        try:
            yield executor
        finally:
            executor.close()
