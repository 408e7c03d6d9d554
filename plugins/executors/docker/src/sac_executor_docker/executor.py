"""The Docker executor: every call looks at what the engine has, does what can be done now, and says what is there."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from weakref import WeakValueDictionary

import anyio
from anyio.abc import ByteStream, TaskGroup

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor, Resync
from sac_core.contracts.process import Process
from sac_core.errors import ConflictError, LostError, NotReadyError, SacError
from sac_core.models.body import Key, Observed, Probe
from sac_core.models.launch import Launch, Secrets
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe
from sac_executor_docker.abilities import extras_of
from sac_executor_docker.building import Builder
from sac_executor_docker.containers import Containers
from sac_executor_docker.direct import Direct
from sac_executor_docker.ending import Ending
from sac_executor_docker.engine import Engine
from sac_executor_docker.folders import owned, workspace_folder
from sac_executor_docker.hints import Hints
from sac_executor_docker.holder_volume import HolderVolumes
from sac_executor_docker.images import Images
from sac_executor_docker.inner import Inner
from sac_executor_docker.probing import probe
from sac_executor_docker.profiles import check_profile
from sac_executor_docker.refusals import check_launch
from sac_executor_docker.seeing import Container, observed
from sac_executor_docker.settings import DockerSettings
from sac_executor_docker.streams import Streams
from sac_executor_docker.working import Work, Workshop

log = logging.getLogger("sac.docker")

_REPLACE_GRACE = 5.0


class DockerExecutor(Executor):
    """Bodies as containers of one engine. Made by `open_docker`."""

    def __init__(
        self, settings: DockerSettings, context: PluginContext, engine: Engine, streams: Streams, tasks: TaskGroup
    ) -> None:
        self._settings, self._context, self._engine, self._streams, self._tasks = (
            settings,
            context,
            engine,
            streams,
            tasks,
        )
        self._local = engine.address.local if settings.local is None else settings.local
        self._containers = Containers(engine, context.owner)
        self._inner = Inner(engine, streams)
        self._direct = Direct(engine, streams)
        self._ending = Ending(engine, self._containers, tasks)
        self._volumes = HolderVolumes(engine, streams, context.owner)
        images = Images(engine, streams, self._volumes, context.owner)
        self._builder = Builder(engine, streams, images, owner=context.owner, base=settings.image)
        self._workshop = Workshop(engine, self._containers, images, self._builder, self._inner, settings, context.owner)
        self._hints = Hints(streams, context.owner, tasks)
        self._works: dict[str, Work] = {}
        self._locks: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def tidy(self) -> None:
        """Remove what a killed server was in the middle of, and is no body."""
        try:
            await self._containers.sweep()
            await self._volumes.sweep()
        except SacError as error:
            log.info("cannot tidy up at the engine: %s", error)

    async def probe(self) -> Probe:
        return await probe(self._engine, self._settings.image)

    async def observe(self, key: Key) -> Observed:
        work = self._works.get(key.uid)
        if work is not None and not work.done.is_set():  # the engine answers for a container only once it has started
            return work.observed(self._context.now())
        return self._see(key, await self._containers.of(key))

    async def bodies(self) -> AsyncIterator[Observed]:
        containers = {container.key.uid: container for container in await self._containers.all()}
        for container in containers.values():
            yield self._see(container.key, container)
        for work in list(self._works.values()):
            if work.key.uid not in containers and (work.useless or not work.done.is_set()):
                yield work.observed(self._context.now())

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        options = check_launch(launch)
        place = workspace_folder(launch, self._settings, local=self._local, private=self._context.folder)
        folder = await owned(self._engine, place)
        await check_profile(self._engine, launch, self._settings)
        extras = await extras_of(self._engine, launch.template.resources)
        async with self._lock(key):
            work = self._works.get(key.uid)
            if work is not None and work.done.is_set() and not work.useless:
                del self._works[key.uid]
                if work.error is not None and work.launch == launch:
                    raise work.error
            elif work is not None and not work.done.is_set():
                if (work.launch.hash, work.launch.generation) == (launch.hash, launch.generation):
                    return work.observed(self._context.now())
                _check_generation(work.launch.generation, launch.generation)
                await work.abandon()
            container = await self._containers.of(key)
            if container is not None:
                _check_generation(container.generation, launch.generation)
            return await self._bring(Work(key, launch, options, folder, extras, secrets), container)

    async def stop(self, key: Key, *, generation: int, grace: float) -> Observed:
        async with self._lock(key):
            container = await self._found(key, generation)
            if container is not None and container.state != "deleting":
                await self._ending.end(container, key, generation, "stopped", grace)
            return self._see(key, await self._containers.of(key))

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        async with self._lock(key):
            container = await self._found(key, generation)
            if container is not None:
                await self._ending.end(container, key, generation, "deleting", grace)
                container = await self._containers.of(key)
            if container is not None and not container.alive:
                await self._containers.remove(container)
                self._inner.forget(container.id)
                container = None
            if container is None:
                return await self._removed(key, purge=purge)
            return self._see(key, container)

    async def _removed(self, key: Key, *, purge: bool) -> Observed:
        """What is left of a body without a container: nothing, or volumes that are kept."""
        kept = () if purge else await self._containers.volumes(key)
        if purge:
            await self._containers.purge(key)
        await self._containers.leave_network(key.tenant)
        seen = self._see(key, None)
        if kept:
            message = f"its volumes are kept: {', '.join(kept)}"
            seen = seen.model_copy(update={"kept": "disk", "message": message})
        return seen

    async def open_holder(self, key: Key) -> ByteStream | None:
        container = await self._entered(key)
        return await self._inner.relay(container) if container.python else None

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        return await self._direct.open(await self._entered(key), process_id, command)

    async def build_image(self, recipe: Recipe, *, base: str | None, tag: str) -> AsyncGenerator[str]:
        async with aclosing(self._builder.build(recipe, base, tag)) as lines:
            async for line in lines:
                yield line

    async def watch(self) -> AsyncIterator[Key | Resync]:
        async with aclosing(self._hints.listen()) as hints:
            async for hint in hints:
                yield hint

    # what is there

    def _lock(self, key: Key) -> anyio.Lock:
        return self._locks.setdefault(key.uid, anyio.Lock())

    def _see(self, key: Key, container: Container | None) -> Observed:
        """What is known of a body: the work on it first, then its container."""
        now, work = self._context.now(), self._works.get(key.uid)
        if work is not None and not work.done.is_set():
            return work.observed(now)
        if work is not None and (container is None or (work.useless and not container.alive)):
            return work.observed(now)
        return observed(container, now) if container else Observed(key=key, phase="absent", observed_at=now)

    async def _found(self, key: Key, generation: int) -> Container | None:
        """The container to end, once nobody works on it."""
        work = self._works.get(key.uid)
        if work is not None:
            _check_generation(work.launch.generation, generation)
            await work.abandon()
            self._works.pop(key.uid, None)
        container = await self._containers.of(key)
        if container is not None:
            _check_generation(container.generation, generation)
        return container

    async def _entered(self, key: Key) -> Container:
        container = await self._containers.of(key)
        if container is None or not container.alive:
            raise LostError("the body has no running container")
        if container.state != "up" or not self._idle(key):
            raise NotReadyError("the container is being started, or ends")
        return container

    def _idle(self, key: Key) -> bool:
        work = self._works.get(key.uid)
        return work is None or work.done.is_set()

    # starting

    async def _bring(self, wanted: Work, container: Container | None) -> Observed:
        """Take the step that there is to take."""
        key, launch = wanted.key, wanted.launch
        if container is not None and container.alive:
            if container.state == "up" and container.hash == launch.hash:
                await self._containers.mark(container, key, launch.generation, "up")
                if container.python:
                    await self._inner.deliver(container.id, container.python, wanted.secrets.files)
                return self._see(key, await self._containers.of(key))
            if container.state != "new" or container.hash != launch.hash:
                state = container.state if container.state in ("stopped", "deleting") else "ending"
                await self._ending.end(container, key, launch.generation, state, _REPLACE_GRACE)
                return self._see(key, await self._containers.of(key))
        if container is not None and container.state == "deleting":
            await self._containers.remove(container)
            container = None
        return await self._begin(wanted, container)

    async def _begin(self, work: Work, container: Container | None) -> Observed:
        """Begin the work; returns once what it makes is listed. What is refused at once is raised."""
        if container is not None:
            self._ending.forget(container.id)
        self._works[work.key.uid] = work
        self._tasks.start_soon(self._work, work, container, name=f"start {work.key.uid}")
        await work.listed.wait()
        if work.error is not None:
            self._works.pop(work.key.uid, None)
            raise work.error
        return work.observed(self._context.now())

    async def _work(self, work: Work, container: Container | None) -> None:
        await self._workshop.run(work, container)
        if work.error is None and self._works.get(work.key.uid) is work:
            del self._works[work.key.uid]
        self._hints.finished(work.key)


def _check_generation(current: int, asked: int) -> None:
    if asked < current:
        raise ConflictError(f"generation {asked} is older than the body's, {current}", reason="OlderGeneration")
