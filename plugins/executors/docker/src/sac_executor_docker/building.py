"""Builds the images of runtimes: a base, what the recipe adds, and the version of what came of it as a label."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from uuid import uuid4

import anyio

from sac_core.errors import LaunchError
from sac_core.models.recipe import Recipe
from sac_executor_docker.engine import Engine
from sac_executor_docker.images import LOOKS, Images, taken_away
from sac_executor_docker.ingredients import Program, containerfile, context, find_program, labels
from sac_executor_docker.naming import ROLE_LABEL
from sac_executor_docker.streams import Streams
from sac_executor_docker.troubles import Refusal

_DEADLINE = 3600.0
_VERSION_DEADLINE = 60
_SAID = 600
_IMAGE = "aux"


class Builder:
    """Builds one image at a time; ``base`` is the one of agents that name none."""

    def __init__(self, engine: Engine, streams: Streams, images: Images, *, owner: str, base: str) -> None:
        self._engine, self._streams, self._images, self._owner, self._base = engine, streams, images, owner, base
        self._busy = anyio.Lock()

    async def have(self, recipe: Recipe, tell: Callable[[str], None]) -> None:
        """Build the recipe's image unless it is there by now; ``tell`` gets lines for people."""
        doing = f"building the image of {recipe.name}"
        tell(doing)
        with anyio.move_on_after(_DEADLINE) as scope:
            async with self._busy:
                if await self._images.find(recipe.image) is None:
                    async with aclosing(self._steps(recipe, self._base, recipe.image)) as lines:
                        async for line in lines:
                            tell(f"{doing}: {line}")
        if scope.cancelled_caught:
            raise _failed(recipe, f"it took longer than {_DEADLINE:g} s")

    async def build(self, recipe: Recipe, base: str | None, tag: str) -> AsyncGenerator[str]:
        """Build it anew; closing this ends the build."""
        async with self._busy, aclosing(self._steps(recipe, base or self._base, tag)) as lines:
            async for line in lines:
                yield line

    async def _steps(self, recipe: Recipe, base: str, tag: str) -> AsyncGenerator[str]:
        """Lines for people. Raises `LaunchError` with what the builder or the program said."""
        if await self._images.find(base) is None:
            async with aclosing(self._images.pulling(base)) as pulled:
                async for line in pulled:
                    yield line
        about = await self._engine.call("info")
        program = await anyio.to_thread.run_sync(find_program, recipe.program, str(about["Architecture"]))
        made = ""
        told = self._built(recipe, containerfile(base, recipe, program), program, {})
        async with aclosing(told) as lines:
            async for kind, text in lines:
                if kind == _IMAGE:
                    made = text
                else:
                    yield text
        yield f"looking for the version of {recipe.program}"
        try:
            version = await self._version(recipe, made)
        except LaunchError:
            with suppress(Refusal):  # another image was made of the same steps, and is used
                await self._engine.found("remove_image", made)
            raise
        named = self._built(recipe, labels(made, recipe, base, version), None, {"t": tag})
        async with aclosing(named) as lines:
            async for _ in lines:
                pass
        yield f"{recipe.name} {version} on {base}"

    async def _built(
        self, recipe: Recipe, steps: str, program: Program | None, query: Mapping[str, str]
    ) -> AsyncGenerator[tuple[str, str]]:
        """What the builder says, and the image as `_IMAGE`."""
        said = ""
        wanted = {"dockerfile": "Containerfile", "rm": "1", "forcerm": "1", **query}
        try:
            async for told in self._streams.build(wanted, context(steps, program)):
                text = str(told.get("stream") or "").strip()
                said = (f"{said}\n{text}" if text else said)[-_SAID:]
                if "error" in told:
                    raise _failed(recipe, f"{told['error']}: {said}")
                if "ID" in (told.get("aux") or {}):
                    yield _IMAGE, str(told["aux"]["ID"])
                elif text:
                    yield "line", text.splitlines()[-1]
        except Refusal as refusal:
            raise _failed(recipe, refusal.said) from None

    async def _version(self, recipe: Recipe, image: str) -> str:
        """What the program says of itself in the image; raises `LaunchError` when it does not run there."""
        config = {
            "Image": image,
            "Entrypoint": list(recipe.version),
            "Cmd": [],
            "User": "65534:65534",
            "WorkingDir": "/tmp",
            "Env": ["HOME=/tmp"],
            "Labels": {"sac/owner": self._owner, ROLE_LABEL: "look"},
            "HostConfig": {"NetworkMode": "none", "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges:true"]},
        }
        for _ in range(LOOKS):
            try:
                code, said = await self._ran(config)
            except Refusal as refusal:
                if "No such container" in refusal.said:
                    continue
                raise _failed(recipe, f"{recipe.program} does not run on this base: {refusal.said}") from None
            if code != 0 or not said:
                told = said[-_SAID:] or f"it ended with code {code}"
                raise _failed(recipe, f"{recipe.program} does not run on this base: {told}")
            return "".join(sign for sign in said.splitlines()[0][:100] if sign.isprintable())
        raise taken_away()

    async def _ran(self, config: Mapping[str, object]) -> tuple[int, str]:
        """How a container ended, and what it said."""
        container = await self._engine.make_container(f"sac-look-{uuid4().hex[:12]}", config)
        try:
            await self._engine.call("start", container)
            ended = await self._engine.call("wait", container, timeout=_VERSION_DEADLINE)
            said = (await self._engine.call("logs", container)).decode("utf-8", "replace").strip()
            return int(ended["StatusCode"]), said
        finally:
            with anyio.CancelScope(shield=True):
                await self._engine.found("remove_container", container, force=True)


def _failed(recipe: Recipe, said: str) -> LaunchError:
    return LaunchError(
        f"the image of {recipe.name} cannot be built: {said}",
        reason="ImageNotFound",
        field="spec.image",
        hint=f"try another base: sac image build {recipe.name} --base IMAGE; or name an image that has it",
    )
