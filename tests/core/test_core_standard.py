"""Which executor runs agents that name none; and that nobody is bothered by one that is not there and nobody needs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.core import open_core
from sac_core.core.standard import standard_executor, why_standard
from sac_core.errors import UnavailableError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.body import Finding, Observed, Probe
from sac_core.models.placement import Placement
from sac_core.models.principal import LOCAL
from sac_core.service.targets import Target, Targets
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget

CABIN = Placement("cabin")
ABSENT = Probe(reachable=False, findings=(Finding(level="error", check="engine", message="no socket", advice="start"),))


def offer(name: str, probe: Probe) -> tuple[str, object]:
    """A plugin whose executor says this of itself."""

    class Told(SimulatedExecutor):
        async def probe(self) -> Probe:
            return probe

        async def bodies(self) -> AsyncIterator[Observed]:
            if not probe.reachable:
                raise UnavailableError("its engine is not there")
            async for body in super().bodies():
                yield body

    @asynccontextmanager
    async def opened(settings: object, context: PluginContext) -> AsyncIterator[Executor]:
        yield Told(SimulatedTarget(), context.owner)

    class Offer:
        @hookimpl
        def sac_executors(self) -> Sequence[ExecutorPlugin]:
            return [ExecutorPlugin(name=name, summary="", open=opened)]

    return name, Offer()


async def default(folder: Path, *offers: tuple[str, object], **given: Any) -> str:
    settings = Settings(data_dir=folder, **given)
    async with open_core(settings, plugins=offers) as core:
        return (await core.sac(LOCAL).status()).default_executor


async def test_one_that_is_ready_for_agents_that_name_none_goes_before_processes(tmp_path: Path) -> None:
    ready = Probe(reachable=True, standard=True)
    assert await default(tmp_path, offer("cabin", Probe(reachable=True))) == "process"
    assert await default(tmp_path, offer("cabin", ready), offer("boat", ready)) == "boat"
    assert await default(tmp_path, offer("cabin", ready.model_copy(update={"reachable": False}))) == "process"
    assert await default(tmp_path, offer("cabin", ready), default_executor="process") == "process"


def test_servers_of_one_database_agree(tmp_path: Path) -> None:
    ready = Targets({CABIN: Target(CABIN, SimulatedExecutor(SimulatedTarget(), "me"), True, standard=True)})
    assert standard_executor(Settings(data_dir=tmp_path), ready) == "cabin"
    shared = Settings(data_dir=tmp_path, database=SecretStr("postgresql://somewhere/sac"))
    assert standard_executor(shared, ready) == "process"


async def why(folder: Path, *offers: tuple[str, object], **given: Any) -> tuple[str, ...]:
    settings = Settings(data_dir=folder, **given)
    async with open_core(settings, plugins=offers) as core:
        told = why_standard(core.settings, core.services.targets)
    return tuple(reason for reason in told if not reason.startswith("docker "))  # which may be installed


async def test_why_it_is_that_one_is_said(tmp_path: Path) -> None:
    image = Finding(level="warning", check="image", message="no image", advice="pull it")
    other = Finding(level="warning", check="apparmor", message="no AppArmor", advice="enable it")
    lacking = Probe(reachable=True, unready=image, findings=(other, image))
    assert await why(tmp_path) == ()
    assert await why(tmp_path, offer("cabin", lacking)) == ("cabin is not ready: no image\n-> pull it",)
    both = await why(tmp_path, offer("cabin", ABSENT), offer("boat", lacking))
    assert both == ("boat is not ready: no image\n-> pull it", "cabin is not ready: no socket\n-> start")
    ready = lacking.model_copy(update={"standard": True})
    assert "boat is ready" in (await why(tmp_path, offer("cabin", ABSENT), offer("boat", ready)))[0]
    assert await why(tmp_path, offer("cabin", ready), default_executor="process") == ("SAC_DEFAULT_EXECUTOR says so",)


def test_why_servers_of_one_database_take_processes_is_said(tmp_path: Path) -> None:
    ready = Targets({CABIN: Target(CABIN, SimulatedExecutor(SimulatedTarget(), "me"), True, standard=True)})
    shared = Settings(data_dir=tmp_path, database=SecretStr("postgresql://somewhere/sac"))
    assert "have to agree" in why_standard(shared, ready)[0]


@pytest.mark.parametrize(("needed", "level"), [(False, "warning"), (True, "error")])
async def test_one_that_is_not_there_is_an_error_where_it_is_needed(tmp_path: Path, needed: bool, level: str) -> None:
    plugins: dict[str, dict[str, Any]] = {"cabin": {}} if needed else {}
    async with open_core(Settings(data_dir=tmp_path, plugins=plugins), plugins=[offer("cabin", ABSENT)]) as core:
        findings = (await core.sac(LOCAL).status()).findings
    assert {finding.level for finding in findings if finding.check.startswith("executor cabin")} == {level}
    assert "start" in {finding.advice for finding in findings}


async def test_one_that_is_not_there_and_not_needed_is_no_warning_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sac.reconciler"):
        async with open_core(Settings(data_dir=tmp_path), plugins=[offer("cabin", ABSENT)]):
            await eventually(lambda: "cannot compare target cabin" in caplog.text, 20)
    ours = [record for record in caplog.records if record.name == "sac.reconciler"]
    assert [record.message for record in ours if record.levelno >= logging.WARNING] == []
