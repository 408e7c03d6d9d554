"""Images of runtimes: built by an executor, from the runtime's recipe."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from sac_core.contracts.store import Scope
from sac_core.errors import NotFoundError, UnavailableError, UnsupportedError
from sac_core.models.placement import DEFAULT_TARGET, Placement
from sac_core.service import runtimes
from sac_core.service.resources import allow
from sac_core.service.services import Services
from sac_core.service.targets import Target
from sac_core.wire.images import BuildRequest


async def build(services: Services, scope: Scope, asked: BuildRequest) -> AsyncGenerator[str]:
    """Lines of progress; the last one names the image."""
    allow(scope, "images:build")
    recipe = runtimes.recipe(services.registry, asked.runtime)
    if recipe is None:
        raise UnsupportedError(f"the runtime {asked.runtime!r} has no image of its own", field="runtime")
    target, tag = await _builder(services, asked.executor), asked.tag or recipe.image
    async with aclosing(target.executor.build_image(recipe, base=asked.base, tag=tag)) as lines:
        async for line in lines:
            yield line
    yield f"{tag} is built on {target.name}"


async def _builder(services: Services, name: str | None) -> Target:
    """The executor of that name, or the target that follows it; without one, the first that runs images."""
    if name is not None:
        executor, _, place = name.partition("/")
        at = Placement(services.registry.executor(executor).name, place or DEFAULT_TARGET)
        if at not in services.targets.opened:
            raise UnavailableError(f"executor {name!r} cannot be used", field="executor", hint="see: sac doctor")
        return services.targets.opened[at]
    for target in services.targets:
        if "images" in (await target.executor.probe()).capabilities:
            return target
    raise NotFoundError("no executor here runs images", field="executor", hint="see: sac plugins, sac doctor")
