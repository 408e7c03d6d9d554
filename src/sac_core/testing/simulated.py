"""The simulated executor: keeps every promise of the contract on a world in memory, and fails where it is told to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from anyio.abc import ByteStream

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import RESYNC, Executor, Resync
from sac_core.contracts.process import Process
from sac_core.errors import (
    ConflictError,
    LaunchError,
    LostError,
    NotFoundError,
    NotReadyError,
    UnavailableError,
    UnsupportedError,
)
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.base import Model
from sac_core.models.body import BUILDING, Key, Observed, Probe, body_labels
from sac_core.models.launch import Launch, Secrets
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe
from sac_core.testing.faults import FaultPlan, PlannedCall
from sac_core.testing.simulated_process import SimulatedProcess
from sac_core.testing.simulated_stream import EchoStream
from sac_core.testing.simulated_target import SimulatedBody, SimulatedTarget

REPLACE_GRACE = 10.0
_ENDED = ("exited", "failed", "stopped")


class SimulatedSettings(Model):
    """What the simulated target can do; what it cannot is refused."""

    egress: bool = False
    gpus: int = 0
    stop: bool = True


class SimulatedExecutor(Executor):
    """Bodies on a `SimulatedTarget`. Open as many instances on one target as there are restarts of SAC to simulate.

    Every await passes a point of ``faults``; after a `SimulatedKill` or `close` each call of this instance fails.
    """

    def __init__(
        self,
        target: SimulatedTarget,
        owner: str,
        settings: SimulatedSettings | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.target = target
        self.owner = owner
        self.settings = settings or SimulatedSettings()
        self.faults = faults or FaultPlan()
        self._closed = False

    def close(self) -> None:
        """From now on every call is `UnavailableError`."""
        self._closed = True

    async def probe(self) -> Probe:
        call = self._begin("probe")
        await call.reach("before")
        capabilities = ("watch", "replace", "files", "dial", "images", *(["stop"] if self.settings.stop else []))
        await call.reach("after")
        return Probe(reachable=True, isolated=False, capabilities=capabilities)

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        call = self._begin("ensure")
        await call.reach("before")
        self._refuse_unsupported(launch)
        self._refuse_older(self._find(key), launch.generation)
        await call.reach("read")
        await self._end_other(call, key, launch)
        if self._find(key) is None:
            if self.target.no_room:
                raise UnavailableError(self.target.no_room, reason="Unschedulable", retry_after=0.2)
            self._make_volumes(key, launch)
            await call.reach("volumes")
            self._create(key, launch, secrets)
            await call.reach("created")
        self._deliver(key, launch, secrets)
        observed = self._see(key)
        await call.reach("after")
        return observed

    async def observe(self, key: Key) -> Observed:
        call = self._begin("observe")
        await call.reach("before")
        observed = self._see(key)
        await call.reach("after")
        return observed

    async def bodies(self) -> AsyncIterator[Observed]:
        call = self._begin("bodies")
        await call.reach("before")
        for body in [body for body in self.target.bodies() if body.owner == self.owner]:
            yield self._describe(body)
            await call.reach("between")
        await call.reach("after")

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        call = self._begin("delete")
        await call.reach("before")
        body = self._find(key)
        self._refuse_older(body, generation)
        await call.reach("read")
        if body is not None:
            body.purge = body.purge or purge
            body.remove(grace)
        elif purge:
            self.target.purge(self.owner, key.uid)
        observed = self._see(key)
        await call.reach("after")
        return observed

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        call = self._begin("open_process")
        await call.reach("before")
        body = self._running(key)
        world = body.run(process_id, command)
        await call.reach("started")
        process = SimulatedProcess(process_id, world, self._begin, lambda: body.forget(process_id, world))
        await call.reach("after")
        return process

    async def stop(self, key: Key, *, generation: int, grace: float) -> Observed:
        call = self._begin("stop")
        await call.reach("before")
        if not self.settings.stop:
            raise UnsupportedError("this target is set not to stop bodies", hint="delete the agent instead")
        body = self._find(key)
        self._refuse_older(body, generation)
        await call.reach("read")
        if body is not None and body.phase != "terminating":
            body.end("stopped")
        observed = self._see(key)
        await call.reach("after")
        return observed

    async def dial(self, key: Key, port: int) -> ByteStream:
        call = self._begin("dial")
        await call.reach("before")
        template = self._running(key).launch.template
        if port not in [each.port for each in template.ports]:
            raise NotFoundError(f"the body declares no port {port}", field="port")
        if template.command != ("serve", str(port)):
            raise NotReadyError(f"nothing listens on port {port}", reason="NothingListens")
        await call.reach("after")
        return EchoStream()

    async def build_image(self, recipe: Recipe, *, base: str | None, tag: str) -> AsyncGenerator[str]:
        """Nothing is built: a recipe whose first step is ``false`` fails."""
        call = self._begin("build_image")
        await call.reach("before")
        yield f"building {tag}"
        if recipe.setup == "false":
            raise LaunchError("the first step failed", reason="ImageNotFound", field="spec.image")
        await call.reach("after")

    async def watch(self) -> AsyncIterator[Key | Resync]:
        call = self._begin("watch")
        await call.reach("before")
        seen = max(self.target.dirty.values(), default=0)
        yield RESYNC
        while True:
            news = sorted((version, key) for key, version in self.target.dirty.items() if version > seen)
            for version, key in news:
                seen = version
                yield key
                await call.reach("between")
            if not news:
                await self.target.changes.wait()

    async def _end_other(self, call: PlannedCall, key: Key, launch: Launch) -> None:
        """What is there and is not what is wanted begins to end; what is wanted gets the newer generation's label."""
        body = self._find(key)
        if body is None or body.phase == "terminating":
            return
        if body.launch.hash == launch.hash and body.phase not in _ENDED:
            body.launch = launch
            body.labels = body_labels(self.owner, key, generation=launch.generation, hash=launch.hash)
            return
        body.remove(REPLACE_GRACE)
        await call.reach("ended")

    def _deliver(self, key: Key, launch: Launch, secrets: Secrets) -> None:
        body = self._find(key)
        if body is not None and body.launch.hash == launch.hash:
            body.secrets = secrets

    def _create(self, key: Key, launch: Launch, secrets: Secrets) -> None:
        labels = body_labels(self.owner, key, generation=launch.generation, hash=launch.hash)
        self.target.create(key, launch.binding.labels | labels, launch, secrets)

    def _make_volumes(self, key: Key, launch: Launch) -> None:
        for mount in launch.template.mounts:
            if mount.kind == "volume":
                self.target.volumes.setdefault((self.owner, key.uid, mount.source), {})

    def _find(self, key: Key) -> SimulatedBody | None:
        """Our body of that uid; another owner's, or one without our label, does not exist for us."""
        ours = (body for body in self.target.bodies(key.uid) if body.owner == self.owner)
        return next(ours, None)

    def _running(self, key: Key) -> SimulatedBody:
        body = self._find(key)
        if body is None:
            raise LostError(f"there is no body of {key.agent}")
        if body.phase == "pending":
            raise NotReadyError(f"the body of {key.agent} is still starting")
        if body.phase != "running":
            raise LostError(f"the body of {key.agent} is {body.phase}")
        return body

    def _see(self, key: Key) -> Observed:
        body = self._find(key)
        if body is None:
            return Observed(key=key, phase="absent", observed_at=self.target.clock.now())
        return self._describe(body)

    def _describe(self, body: SimulatedBody) -> Observed:
        labels = body.labels
        failed = body.phase == "failed"
        return Observed(
            key=Key(labels["sac/tenant"], labels["sac/agent"], labels["sac/uid"]),
            phase=body.phase,
            reason=(body.plan.fails or "") if failed else BUILDING if body.building else "",
            message=body.plan.message if failed else "",
            hash=labels["sac/hash"],
            generation=int(labels["sac/generation"]),
            exit=body.exit,
            kept="disk" if body.phase == "stopped" else "nothing",
            progress=body.progress,
            details={"machine": "simulated"},
            observed_at=self.target.clock.now(),
        )

    def _refuse_older(self, body: SimulatedBody | None, generation: int) -> None:
        if body is not None and generation < int(body.labels["sac/generation"]):
            raise ConflictError(
                f"the body carries generation {body.labels['sac/generation']}, newer than {generation}",
                hint="read the agent again",
            )

    def _refuse_unsupported(self, launch: Launch) -> None:
        template = launch.template
        if template.egress.mode != "all" and not self.settings.egress:
            raise UnsupportedError("this target cannot limit what a body reaches", field="spec.egress")
        if (template.resources.gpus or 0) > self.settings.gpus:
            raise UnsupportedError(f"this target has {self.settings.gpus} GPUs", field="spec.resources.gpus")
        if any(mount.kind == "folder" for mount in template.mounts):
            raise UnsupportedError("this target has no folders to mount", field="spec.workspace")

    def _begin(self, method: str) -> PlannedCall:
        if self._closed:
            raise UnavailableError("this executor is closed")
        return self.faults.begin(method)


@asynccontextmanager
async def open_simulated_executor(
    target: SimulatedTarget, settings: SimulatedSettings, context: PluginContext, faults: FaultPlan | None = None
) -> AsyncIterator[SimulatedExecutor]:
    """An executor of this installation on the target; leaving it leaves the bodies as they are."""
    executor = SimulatedExecutor(target, context.owner, settings, faults)
    try:
        yield executor
    finally:
        executor.close()


def simulated_plugin(
    target: SimulatedTarget, *, name: str = "simulated", faults: FaultPlan | None = None
) -> ExecutorPlugin:
    """The record that registers the target as an executor."""
    return ExecutorPlugin(
        name=name,
        summary="bodies in memory, for tests",
        open=lambda settings, context: open_simulated_executor(target, settings, context, faults),
        settings=SimulatedSettings,
        isolated=False,
    )
