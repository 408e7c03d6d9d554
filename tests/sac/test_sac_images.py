"""Building the image of a runtime, embedded and over HTTP, by an executor that plays a builder."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio
import pytest

from live_server import until
from sac_core.builtin.shell import ShellRuntime
from sac_core.contracts.context import PluginContext
from sac_core.contracts.sac import Sac
from sac_core.core import wiring
from sac_core.errors import InvalidError, LaunchError, NotFoundError, SacError, UnavailableError, UnsupportedError
from sac_core.hooks import hookimpl
from sac_core.hooks.loader import load
from sac_core.hooks.records import ExecutorPlugin, RuntimePlugin
from sac_core.models.body import Key, Observed, Probe
from sac_core.models.launch import Launch, Secrets
from sac_core.models.recipe import Recipe
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget

TOY = Recipe(name="toy", setup="true", program="toy", install="false", version=("toy", "--version"))


class Toy(ShellRuntime):
    def recipe(self) -> Recipe:
        return TOY


class Builder(SimulatedExecutor):
    """Says what it was asked for; bases named after what goes wrong."""

    ended = 0

    async def probe(self) -> Probe:
        seen = await super().probe()
        return seen.model_copy(update={"capabilities": (*seen.capabilities, "images")})

    async def build_image(self, recipe: Recipe, *, base: str | None, tag: str) -> AsyncGenerator[str]:
        try:
            yield f"{recipe.name} on {base} as {tag}"
            if base == "broken":
                raise LaunchError("the builder said no", reason="ImageNotFound", field="spec.image")
            if base == "faulty":
                raise ValueError("a secret")
            while base == "endless":
                yield "working"
                await anyio.sleep(0.01)
        finally:
            Builder.ended += 1


class Offers:
    @hookimpl
    def sac_runtimes(self) -> list[RuntimePlugin]:
        return [RuntimePlugin(name="toy", summary="Plays", make=Toy)]

    @hookimpl
    def sac_executors(self) -> list[ExecutorPlugin]:
        return [ExecutorPlugin(name="builder", summary="Builds", open=self.open)]

    @asynccontextmanager
    async def open(self, settings: object, context: PluginContext) -> AsyncIterator[Builder]:
        yield Builder(SimulatedTarget(), context.owner)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for the server, which `sac` opens; no engine of this machine builds in their place."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setattr(
        wiring, "load", lambda *, required, extra: load(required=required, extra=[*extra, ("toy", Offers())])
    )


async def built(sac: Sac, runtime: str = "toy", **given: str) -> list[str]:
    with anyio.fail_after(30):
        return [line async for line in sac.build_image(runtime, **given)]


async def test_the_lines_of_the_builder_come_and_the_name_is_the_last(sac: Sac) -> None:
    lines = await built(sac)
    assert lines == [f"toy on None as {TOY.image}", f"{TOY.image} is built on builder"]
    chosen = await built(sac, executor="builder", base="debian:12", tag="mine:1")
    assert chosen == ["toy on debian:12 as mine:1", "mine:1 is built on builder"]


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"base": "broken"}, LaunchError, "the builder said no"),
        ({"base": "faulty"}, UnavailableError, "build_image raised ValueError, which is no error of SAC's"),
        ({"runtime": "shell"}, UnsupportedError, "'shell' has no image of its own"),
        ({"runtime": "nosuch"}, InvalidError, "nosuch"),
        ({"executor": "process"}, UnsupportedError, "runs no images"),
        ({"executor": "nosuch"}, InvalidError, "nosuch"),
        ({"base": "a\nRUN evil"}, InvalidError, "is not the name of an image"),
        ({"tag": "-x"}, InvalidError, "is not the name of an image"),
    ],
)
async def test_what_goes_wrong_is_told(sac: Sac, given: dict[str, str], kind: type[SacError], words: str) -> None:
    with pytest.raises(kind, match=words) as failed:
        await built(sac, **given)
    assert "a secret" not in str(failed.value)


async def test_who_leaves_ends_the_build(sac: Sac) -> None:
    before = Builder.ended
    with anyio.fail_after(30):
        async with aclosing(sac.build_image("toy", base="endless")) as lines:
            async for line in lines:
                if line == "working":
                    break

    async def over() -> bool:
        return Builder.ended == before + 1

    await until(over)


async def test_without_an_executor_that_runs_images_it_is_said(sac: Sac, monkeypatch: pytest.MonkeyPatch) -> None:
    async def probe(self: Builder) -> Probe:
        return Probe(reachable=False)

    monkeypatch.setattr(Builder, "probe", probe)
    with pytest.raises(NotFoundError, match="no executor here runs images"):
        await built(sac)


async def test_an_agent_without_an_image_has_the_recipe_with_its_launch(
    sac: Sac, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Recipe | None] = []
    ensure = Builder.ensure

    async def noted(self: Builder, key: Key, launch: Launch, given: Secrets) -> Observed:
        seen.append(launch.recipe)
        return await ensure(self, key, launch, given)

    monkeypatch.setattr(Builder, "ensure", noted)
    for name, more in (("a1", {}), ("a2", {"image": "mine:1"}), ("a3", {"runtime": "shell"})):
        await sac.agents.create(name, {"runtime": "toy", "executor": "builder", **more})
        await sac.agents.wait(name, timeout=30)
    assert (seen[0], {*seen[1:]}) == (TOY, {None})
