"""The form of an executor and a runtime that SAC does not know: options are inputs, made from their JSON schemas."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from browser.conftest import Console
    from live_server import LiveServer

pytestmark = pytest.mark.browser

PLUGIN = """
from contextlib import asynccontextmanager
from enum import Enum
from typing import Literal

from pydantic import Field
from sac_core.hooks import hookimpl
from sac_core.builtin.shell import ShellRuntime
from sac_core.hooks.records import ExecutorPlugin, RuntimePlugin
from sac_core.models.base import Model
from sac_core.models.secret_ref import SecretRef
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget


class Size(str, Enum):
    small = "small"
    large = "large"


class Options(Model):
    region: str = Field(description="Where it runs.")
    cpu_limit: float | None = Field(default=None, gt=0, description="In cores.")
    replicas: int = Field(default=1, ge=1, description="How many.")
    size: Size = Field(default=Size.small, description="How large.")
    mode: Literal["fast", "safe"] | None = Field(default=None, description="How careful.")
    spot: bool = Field(default=False, description="Whether it may be taken away.")
    api_key: SecretRef | None = Field(default=None, description="Whose account.")
    tags: tuple[str, ...] = Field(default=(), description="Words.")


@asynccontextmanager
async def opened(settings, context):
    yield SimulatedExecutor(SimulatedTarget(), context.owner)


@hookimpl
def sac_executors():
    return [ExecutorPlugin(name="formed", summary="Has options", open=opened, options=Options)]


class Habits(Model):
    model: Literal["small", "large"] = Field(default="small", description="How clever.")
    region: str | None = Field(default=None, description="Where it thinks.")


@hookimpl
def sac_runtimes():
    return [RuntimePlugin(name="thinker", summary="Has habits", make=ShellRuntime, options=Habits)]
"""


def install(site: Path) -> None:
    """As pip leaves it."""
    (site / "sac_executor_formed.py").write_text(PLUGIN)
    info = site / "sac_executor_formed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sac-executor-formed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sac]\nformed = sac_executor_formed\n")


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, live_server: type[LiveServer]) -> AsyncIterator[LiveServer]:
    """A server with the plugin."""
    folder = tmp_path_factory.mktemp("formed")
    site = folder / "site"
    site.mkdir()
    install(site)
    running = live_server(folder / "data")
    running.env["PYTHONPATH"] = str(site)
    try:
        await running.start()
        yield running
    finally:
        running.end()


async def form(console: Console, name: str) -> None:
    await console.go("new")
    await console.at("field-name").fill(name)
    await console.at("field-executor").select_option("formed")
    await expect(console.at("options")).to_be_visible()


async def test_options_are_inputs_of_their_kinds_and_arrive_as_they_are(console: Console, sac: HttpSac) -> None:
    await sac.secrets.put("vendor-key", "canary")
    await form(console, "formed-1")
    await console.at("field-option-region").fill("eu-1")
    await console.at("field-option-cpuLimit").fill("1.5")
    await console.at("field-option-replicas").fill("3")
    await console.at("field-option-size").select_option("large")
    await console.at("field-option-mode").select_option("safe")
    await console.at("field-option-spot").select_option("on")
    await console.at("field-option-apiKey").select_option("vendor-key")
    await expect(console.page.get_by_text("Only from the command line or a file: tags.")).to_be_visible()
    await expect(console.page.get_by_label("region (needed)")).to_have_value("eu-1")
    await console.at("create").click()
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=20_000)
    wanted = {
        "region": "eu-1",
        "cpuLimit": 1.5,
        "replicas": 3,
        "size": "large",
        "mode": "safe",
        "spot": True,
        "apiKey": "vendor-key",
    }
    assert (await sac.agents.get("formed-1")).spec.options == wanted


async def test_what_is_left_empty_is_left_out(console: Console, sac: HttpSac) -> None:
    await form(console, "formed-2")
    await console.at("field-option-region").fill("eu-1")
    await expect(console.at("field-option-replicas")).to_have_attribute("placeholder", "1")
    await console.at("create").click()
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=20_000)
    assert (await sac.agents.get("formed-2")).spec.options == {"region": "eu-1"}


async def test_what_is_wrong_is_said_at_its_option(console: Console, sac: HttpSac) -> None:
    console.forgiven = re.compile(r"status of (400|422)")
    await form(console, "formed-3")
    await console.at("create").click()
    await expect(console.at("field-option-region-wrong")).to_contain_text("required")
    await expect(console.at("field-option-region")).to_be_focused()
    await console.at("field-option-region").fill("eu-1")
    await console.at("field-option-replicas").fill("many")
    await console.at("create").click()
    await expect(console.at("field-option-replicas-wrong")).to_be_visible()
    await expect(console.at("field-option-region-wrong")).to_have_count(0)


async def test_options_of_a_runtime_are_apart_from_those_of_the_executor(console: Console, sac: HttpSac) -> None:
    await form(console, "thinks")
    await expect(console.at("runtime-options")).to_have_count(0)
    await console.at("field-runtime").select_option("thinker")
    await console.at("field-runtime-option-model").select_option("large")
    await console.at("field-option-region").fill("eu-1")
    await console.at("create").click()
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=20_000)
    spec = (await sac.agents.get("thinks")).spec
    assert (spec.runtime_options, spec.options) == ({"model": "large"}, {"region": "eu-1"})


async def test_other_executors_have_none(console: Console) -> None:
    await form(console, "plain")
    await console.at("field-executor").select_option("process")
    await expect(console.at("options")).to_have_count(0)


async def test_a_target_is_chosen_with_its_executor(console: Console, sac: HttpSac, tmp_path: Path) -> None:
    await sac.targets.create("near", "process", {"folder": str(tmp_path / "near")})
    await console.go("new")
    await console.at("field-name").fill("placed")
    await console.at("field-executor").select_option("process/near")
    await expect(console.at("isolation-warning")).to_be_visible()
    await console.at("create").click()
    await expect(console.at("agent-phase")).to_have_attribute("data-phase", "Running", timeout=20_000)
    await expect(console.page.get_by_text("process / near")).to_be_visible()
    assert str((await sac.agents.get("placed")).status.placement) == "process/near"
    await sac.agents.delete("placed")
    await sac.agents.wait("placed", "absent", timeout=20)
    await sac.targets.delete("near")
