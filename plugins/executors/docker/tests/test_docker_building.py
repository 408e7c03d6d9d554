"""Images of runtimes, built at a real engine: from the program of this machine, or by a command; their labels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from docker_engine import docker
from sac_core.builtin.shell import ShellRuntime
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.errors import LaunchError, UnavailableError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin
from sac_core.models.principal import LOCAL
from sac_core.models.recipe import Recipe
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_executor_docker import building, plugin
from sac_executor_docker.ingredients import find_program, labels
from test_docker_agent import installed

TOY: dict[str, Any] = {
    "setup": "echo set > /setup",
    "program": "busybox",  # a program of one file that both this machine and the image have
    "install": "exit 9",
    "version": ("/usr/local/bin/busybox", "echo", "toy 1.2"),
}


class Toy(ShellRuntime):
    made: Recipe

    def recipe(self) -> Recipe:
        return self.made


class Offers:
    @hookimpl
    def sac_runtimes(self) -> list[RuntimePlugin]:
        return [RuntimePlugin(name="toy", summary="Plays", make=Toy)]


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """A recipe of a name of its own, whose image goes with the test."""
    made = Recipe(name=f"toy-{uuid4().hex[:8]}", **TOY)
    monkeypatch.setattr(Toy, "made", made, raising=False)
    yield made
    if docker("images", "--quiet", made.image):
        docker("rmi", "--force", made.image)


@pytest.fixture
async def sac(tmp_path: Path, plain_image: str, recipe: Recipe) -> AsyncIterator[Sac]:
    settings = Settings(data_dir=tmp_path / "data", plugins={"docker": {"image": plain_image}}, resync=2.0)
    own: list[tuple[str, object]] = [] if installed() else [("docker", plugin)]
    async with open_core(settings, plugins=[("toy", Offers()), *own]) as core:
        yield core.sac(LOCAL)


async def built(sac: Sac, **given: str) -> list[str]:
    return [line async for line in sac.build_image("toy", **given)]


def label(image: str, name: str) -> str:
    return docker("inspect", "--format", f'{{{{index .Config.Labels "sac/image.{name}"}}}}', image)


async def test_the_program_of_this_machine_is_copied_and_its_version_is_a_label(
    sac: Sac, recipe: Recipe, plain_image: str
) -> None:
    lines = await built(sac)
    assert lines[-1] == f"{recipe.image} is built on docker"
    told = {name: label(recipe.image, name) for name in ("runtime", "version", "base")}
    assert told == {"runtime": recipe.name, "version": "toy 1.2", "base": plain_image}
    seen = docker("run", "--rm", "--network=none", recipe.image, "/bin/sh", "-c", "cat /setup; ls -l /usr/local/bin")
    assert seen.startswith("set\n")
    copied = find_program("busybox", "x86_64") or find_program("busybox", "aarch64")
    assert copied is not None
    assert str(copied.size) in seen


async def test_another_base_and_another_name(sac: Sac, recipe: Recipe, python_image: str) -> None:
    tag = f"sac-test/{recipe.name}:mine"
    try:
        await built(sac, base=python_image, tag=tag)
        assert label(tag, "base") == python_image
        assert not docker("images", "--quiet", recipe.image)
    finally:
        docker("rmi", "--force", tag)


async def test_without_a_program_that_fits_it_is_installed(
    sac: Sac, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = f"mkdir -p /usr/local/bin && ln -s /bin/busybox /usr/local/bin/busybox && echo installed {recipe.name}"
    monkeypatch.setattr(Toy, "made", recipe.model_copy(update={"install": install}))
    monkeypatch.setattr(building, "find_program", lambda name, architecture: None)
    assert f"installed {recipe.name}" in await built(sac)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"setup": "echo what is wrong; exit 3"}, "what is wrong"),
        ({"version": ("/usr/local/bin/busybox", "false")}, "does not run on this base"),
        ({"version": ("/nowhere/toy",)}, "does not run on this base"),
    ],
)
async def test_what_went_wrong_is_told_and_nothing_is_left(
    sac: Sac, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr(Toy, "made", recipe.model_copy(update=change))
    with pytest.raises(LaunchError, match=words) as failed:
        await built(sac)
    assert "--base" in str(failed.value.hint)
    assert not docker("images", "--quiet", recipe.image)
    owner = (await sac.status()).installation
    assert not docker("ps", "--all", "--quiet", "--filter", f"label=sac/owner={owner}")


async def test_a_base_that_is_not_to_be_had_is_told(sac: Sac) -> None:
    with pytest.raises(UnavailableError, match="localhost/sac-test/nosuch"):  # nobody listens there, now
        await built(sac, base="localhost/sac-test/nosuch:1")


async def test_two_agents_that_need_it_first_wait_for_one_build(sac: Sac, recipe: Recipe) -> None:
    for name in ("a1", "a2"):
        await sac.agents.create(name, {"runtime": "toy", "executor": "docker"})
    for name in ("a1", "a2"):
        await sac.agents.wait(name, timeout=100)
        assert (await sac.exec(name, ["cat", "/setup"])).stdout == "set\n"
    made = docker("images", "--quiet", "--no-trunc", recipe.image)
    used = {docker("inspect", "--format", "{{.Image}}", each) for each in _containers(recipe)}
    assert used == {made}
    for name in ("a1", "a2"):
        await sac.agents.delete(name)
        await sac.agents.wait(name, "absent", timeout=60)


async def test_building_takes_no_time_of_the_start_and_is_told(
    sac: Sac, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = recipe.model_copy(update={"setup": f"echo {recipe.name} takes its time; sleep 20; echo set > /setup"})
    monkeypatch.setattr(Toy, "made", slow)
    await sac.agents.create("a1", {"runtime": "toy", "executor": "docker", "startTimeout": 15})

    async def told() -> bool:
        status = (await sac.agents.get("a1")).status
        return status.reason == "BuildingImage" and "takes its time" in status.progress

    await eventually(told, 60)
    await sac.agents.wait("a1", timeout=100)
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=60)


async def test_an_agent_whose_image_cannot_be_built_fails_with_the_reason(
    sac: Sac, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "made", recipe.model_copy(update={"setup": "echo what is wrong; exit 3"}))
    await sac.agents.create("a1", {"runtime": "toy", "executor": "docker"})
    with pytest.raises(LaunchError, match="what is wrong") as failed:
        await sac.agents.wait("a1", timeout=100)
    assert failed.value.reason == "ImageNotFound"
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=60)


async def test_who_leaves_ends_the_build(sac: Sac, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toy, "made", recipe.model_copy(update={"setup": "sleep 600"}))
    async with aclosing(sac.build_image("toy")) as lines:
        async for line in lines:
            if "sleep 600" in line:
                break
    monkeypatch.setattr(Toy, "made", recipe)
    assert (await built(sac))[-1] == f"{recipe.image} is built on docker"  # one at a time, and this one has its turn


def test_a_program_that_is_none_or_of_another_machine_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert find_program("script", "x86_64") is None
    assert find_program("nosuch", "x86_64") is None
    fits = [kind for kind in ("x86_64", "aarch64", "riscv64") if find_program("busybox", kind)]
    assert len(fits) == 1


def test_a_version_is_text_and_no_instruction() -> None:
    recipe = Recipe(name="toy", **TOY)
    lines = labels("sha256:1", recipe, "b", 'a "b" $HOME \\ é').splitlines()
    assert lines[2] == 'LABEL sac/image.version="a \\"b\\" \\$HOME \\\\ é"'


def _containers(recipe: Recipe) -> list[str]:
    return docker("ps", "--quiet", "--filter", f"ancestor={recipe.image}").split()
