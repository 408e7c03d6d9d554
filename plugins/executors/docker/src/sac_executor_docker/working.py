"""Making and starting a container: work in progress, which outlives a cancelled call and ends with the executor.

What is lost with a restart is gone on with by the next `ensure`: only why a pull failed is known nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import anyio

from sac_core.errors import LaunchError, SacError, UnsupportedError
from sac_core.models.body import BUILDING, Key, Observed
from sac_core.models.launch import Launch, Secrets
from sac_core.models.recipe import Recipe
from sac_executor_docker.abilities import Extras
from sac_executor_docker.building import Builder
from sac_executor_docker.containers import Containers
from sac_executor_docker.engine import Engine
from sac_executor_docker.folders import Folder
from sac_executor_docker.holder_volume import folders
from sac_executor_docker.images import Image, Images
from sac_executor_docker.inner import Inner
from sac_executor_docker.naming import State, first_name, state_name
from sac_executor_docker.refusals import check_without_holder
from sac_executor_docker.rendering import AGENT_PLACE, Plan, container
from sac_executor_docker.seeing import Container
from sac_executor_docker.settings import DockerOptions, DockerSettings
from sac_executor_docker.troubles import Refusal, refused_launch


@dataclass(slots=True)
class Work:
    """One body on its way to running."""

    key: Key
    launch: Launch
    options: DockerOptions
    folder: Folder | None
    extras: Extras
    secrets: Secrets = field(repr=False)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    listed: anyio.Event = field(default_factory=anyio.Event)
    done: anyio.Event = field(default_factory=anyio.Event)
    progress: str = ""
    building: bool = False
    error: SacError | None = None

    def observed(self, now: datetime) -> Observed:
        """It is on its way; or why it will never be there, or is not there yet."""
        seen = Observed(
            key=self.key,
            phase="pending",
            reason=BUILDING if self.building else "",
            hash=self.launch.hash,
            generation=self.launch.generation,
            progress=self.progress,
            observed_at=now,
        )
        if self.error is None:
            return seen
        if not self.useless:
            return Observed(
                key=self.key, phase="absent", reason=self.error.reason, message=str(self.error), observed_at=now
            )
        reason = self.error.reason if isinstance(self.error, LaunchError) else "Unsupported"
        return seen.model_copy(update={"phase": "failed", "reason": reason, "message": str(self.error), "progress": ""})

    @property
    def useless(self) -> bool:
        """Whether it went wrong so that trying again is useless."""
        return isinstance(self.error, LaunchError | UnsupportedError)

    def tell(self, progress: str) -> None:
        """A line for people."""
        self.progress = progress

    async def abandon(self) -> None:
        """Have it end; what it has made is there and listed."""
        self.scope.cancel()
        await self.done.wait()


class Workshop:
    """Does the work."""

    def __init__(
        self,
        engine: Engine,
        containers: Containers,
        images: Images,
        builder: Builder,
        inner: Inner,
        settings: DockerSettings,
        owner: str,
    ) -> None:
        self._engine, self._containers, self._inner = engine, containers, inner
        self._images, self._builder = images, builder
        self._settings, self._owner = settings, owner

    async def run(self, work: Work, old: Container | None) -> None:
        """Bring the body to running; never raises: what went wrong is in ``work.error``."""
        try:
            with work.scope:
                if old is not None and old.hash == work.launch.hash and old.startable:
                    await self._start_again(work, old)
                else:
                    await self._make(work, old)
        except SacError as error:
            work.error = error
        finally:
            work.listed.set()
            work.done.set()

    async def _make(self, work: Work, old: Container | None) -> None:
        image = await self._image(work)
        if image.python is None:
            check_without_holder(work.launch, work.secrets)
        plan = Plan(work.key, self._owner, work.launch, work.options, image, work.folder, work.extras)
        if plan.network is not None:
            await self._containers.enter_network(work.key.tenant)
        if old is not None:
            await self._containers.remove(old)
        made = await self._create(work, container(plan, self._settings, work.secrets))
        work.listed.set()
        await self._engine.call("put_archive", made, AGENT_PLACE, folders(("home", "work"), plan.user))
        await self._start(work, made, image.python or "")

    async def _image(self, work: Work) -> Image:
        recipe = work.launch.recipe if work.launch.template.image is None else None
        name = recipe.image if recipe else work.launch.template.image or self._settings.image
        image = await self._images.find(name)
        while image is None:
            work.listed.set()
            if recipe is not None:
                await self._build(work, recipe)
            else:
                work.tell("pulling the image")
                await self._images.pull(name, work.tell)
            image = await self._images.find(name)
            if image is None:
                raise LaunchError(f"{name}: it was pulled and is not there", reason="ImageNotFound", field="spec.image")
        work.tell("starting the container")
        return image

    async def _build(self, work: Work, recipe: Recipe) -> None:
        work.building = True
        try:
            await self._builder.have(recipe, work.tell)
        finally:
            work.building = False

    async def _create(self, work: Work, config: dict[str, object]) -> str:
        try:
            return await self._engine.make_container(first_name(work.key), config)
        except Refusal as refusal:
            raise refused_launch(refusal) from None

    async def _start_again(self, work: Work, old: Container) -> None:
        work.listed.set()
        if not old.alive:
            state: State = "new" if work.secrets.files and old.python else "up"
            await self._containers.mark(old, work.key, work.launch.generation, state)
            await self._containers.enter_network(work.key.tenant)
        await self._start(work, old.id, old.python)

    async def _start(self, work: Work, container_id: str, python: str) -> None:
        """Start it, then deliver: nothing runs in it but the holder until its name says that it is up."""
        self._inner.forget(container_id)
        try:
            await self._start_in_network(work, container_id)
        except Refusal as refusal:
            raise refused_launch(refusal) from None
        if work.secrets.files and python:
            await self._inner.deliver(container_id, python, work.secrets.files)
            await self._engine.call("rename", container_id, state_name(work.key, work.launch.generation, "up"))

    async def _start_in_network(self, work: Work, container_id: str) -> None:
        try:
            await self._engine.call("start", container_id)
        except Refusal as refusal:
            if refusal.status != 404 or "network" not in refusal.said:
                raise
            self._containers.forget_networks()
            await self._containers.enter_network(work.key.tenant)
            await self._engine.call("start", container_id)
