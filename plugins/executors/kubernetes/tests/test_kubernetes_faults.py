"""What a cluster may do to SAC (F19 to F22), played by a stand-in: it refuses, lies, breaks off, is silent or hangs.

What a real cluster does at once cannot be asked of one: 429, 500, 504 after the deed, a watch without a word.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("trustme")
sys.path.insert(0, str(Path(__file__).parents[4]))

from aiohttp import web
from anyio import to_thread
from benchmarks.kubernetes.pretend import Api, pretended

from dying_on_cluster import offers
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.errors import LaunchError
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_executor_kubernetes import reflector

PATIENCE = 60.0


@dataclass
class Fault:
    """What is answered instead, so many times, to a method for a resource. ``late``: after it was done."""

    method: str
    resource: str
    status: int
    said: str = "a fault"
    headers: dict[str, str] = field(default_factory=dict)
    late: bool = False
    cut: bool = False
    times: int = 1
    met: int = 0

    def fits(self, request: web.Request) -> bool:
        """Whether it is this one's turn."""
        resource = request.match_info.get("resource")
        return (request.method, resource) == (self.method, self.resource) and self.met < self.times

    async def answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.met += 1
        if self.late:
            await handler(request)
        if self.cut:
            answer = web.StreamResponse(headers={"Content-Length": "1000"})
            await answer.prepare(request)
            await answer.write(b'{"kind": "Depl')
            assert request.transport is not None
            request.transport.close()
            return answer
        body = {"kind": "Status", "code": self.status, "message": self.said}
        return web.json_response(body, status=self.status, headers=self.headers)


@dataclass
class Stand:
    """A stand-in and the faults it plays; while ``hangs`` it answers nobody, while ``mute`` its watches say nothing."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    hangs: bool = False
    api: Api = field(default_factory=Api)

    async def first(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.hangs:
            await anyio.sleep_forever()
        fault = next((each for each in self.faults if each.fits(request)), None)
        answer: web.StreamResponse = await (fault.answer(request, handler) if fault else handler(request))
        return answer

    def named(self, resource: str) -> list[str]:
        return sorted(self.api.world.objects.get(resource, {}))


@asynccontextmanager
async def standing(folder: Path, *faults: Fault) -> AsyncIterator[Stand]:
    await to_thread.run_sync(folder.mkdir)
    stand = Stand(folder, list(faults))

    @web.middleware
    async def first(request: web.Request, handler: Any) -> web.StreamResponse:
        return await stand.first(request, handler)

    async with pretended(folder, first=(first,)) as stand.api:
        yield stand


@asynccontextmanager
async def server(data: Path, stand: Stand, **more: object) -> AsyncIterator[Sac]:
    """SAC with the stand-in as its cluster."""
    plugins = {"kubernetes": {"kubeconfig": str(stand.folder / "kubeconfig"), "timeout": 2, **more}}
    settings = Settings(data_dir=data, plugins=plugins, resync=1.0)
    async with open_core(settings, plugins=offers()) as core:
        yield core.sac(LOCAL)


async def gone(sac: Sac, stand: Stand, name: str = "box") -> None:
    await sac.agents.delete(name)
    await sac.agents.wait(name, "absent", timeout=PATIENCE)
    assert stand.named("deployments") == stand.named("pods") == []


async def entered(stand: Stand, times: int) -> None:
    """So many execs were opened."""
    await eventually(lambda: len(stand.api.execs) == times, PATIENCE)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", "deployments", 503),
        Fault("GET", "configmaps", 504),
        Fault("POST", "deployments", 429, headers={"Retry-After": "1"}),
        Fault("POST", "deployments", 500),
        Fault("POST", "deployments", 504, late=True),
        Fault("POST", "deployments", 0, late=True, cut=True),
        Fault("POST", "services", 500, times=2),
        Fault("POST", "services", 504, late=True),
        Fault("PATCH", "deployments", 409, times=2),
        Fault("PATCH", "deployments", 500),
        Fault("PATCH", "deployments", 504, late=True),
        Fault("PATCH", "deployments", 0, cut=True),
    ],
    ids=lambda fault: f"{fault.method}-{fault.resource}-{fault.status}{'-late' * fault.late}{'-cut' * fault.cut}",
)
async def test_a_fault_in_the_midst_of_a_creation_is_outlived(tmp_path: Path, fault: Fault) -> None:
    async with standing(tmp_path / "stand", fault) as stand, server(tmp_path / "data", stand) as sac:
        await sac.agents.create("box", {"executor": "kubernetes"})
        await sac.agents.wait("box", timeout=PATIENCE)
        assert fault.met == fault.times
        assert [len(stand.named(each)) for each in ("deployments", "pods", "services")] == [1, 1, 1]
        await gone(sac, stand)


@pytest.mark.parametrize("status", [403, 422])
async def test_what_is_refused_fails_at_once_and_says_why(tmp_path: Path, status: int) -> None:
    fault = Fault("POST", "deployments", status, said="the admission says no", times=1000)
    async with standing(tmp_path / "stand", fault) as stand, server(tmp_path / "data", stand) as sac:
        await sac.agents.create("box", {"executor": "kubernetes"})
        with pytest.raises(LaunchError, match="the admission says no"):
            await sac.agents.wait("box", timeout=20)
        assert fault.met < 3
        await gone(sac, stand)


async def test_a_cluster_that_hangs_slows_no_other(tmp_path: Path) -> None:
    """Two clusters; all that is asked of one hangs, with an agent on it and one to come."""
    async with standing(tmp_path / "one") as hanging, standing(tmp_path / "two") as other:
        async with server(tmp_path / "data", other) as sac:
            settings = {"kubeconfig": str(hanging.folder / "kubeconfig"), "timeout": 2}
            await sac.targets.create("far", "kubernetes", settings)
            await sac.agents.create("stays", {"executor": {"name": "kubernetes", "target": "far"}})
            await sac.agents.wait("stays", timeout=PATIENCE)
            hanging.hangs = True
            await sac.agents.create("waits", {"executor": {"name": "kubernetes", "target": "far"}})
            with anyio.fail_after(PATIENCE):
                for number in range(3):
                    await sac.agents.create(f"quick-{number}", {"executor": "kubernetes"})
                    await sac.agents.wait(f"quick-{number}", timeout=20)
                    await sac.agents.delete(f"quick-{number}")
                    await sac.agents.wait(f"quick-{number}", "absent", timeout=20)
            assert (await sac.agents.get("stays")).status.phase == "Running"
            hanging.hangs = False
            await sac.agents.wait("waits", timeout=PATIENCE)
            for name in ("stays", "waits"):
                await sac.agents.delete(name)
                await sac.agents.wait(name, "absent", timeout=PATIENCE)
        assert hanging.named("deployments") == other.named("deployments") == []


async def test_an_exec_that_is_cut_is_opened_again_and_the_agent_runs_on(tmp_path: Path) -> None:
    async with standing(tmp_path / "stand") as stand, server(tmp_path / "data", stand) as sac:
        await sac.agents.create("box", {"executor": "kubernetes"})
        await sac.agents.wait("box", timeout=PATIENCE)
        for count in (1, 2, 3):
            await entered(stand, count)
            stand.api.execs[-1]._req.transport.abort()
        await entered(stand, 4)
        await sac.agents.wait("box", timeout=PATIENCE)
        assert (await sac.agents.get("box")).status.restarts == 0
        await gone(sac, stand)


async def test_an_api_server_that_is_away_for_a_while_changes_nothing(tmp_path: Path) -> None:
    """Every request fails for some comparisons: it is told, and no body is taken for gone."""
    async with standing(tmp_path / "stand") as stand, server(tmp_path / "data", stand) as sac:
        await sac.agents.create("box", {"executor": "kubernetes"})
        await sac.agents.wait("box", timeout=PATIENCE)
        before = stand.named("pods")
        away = [Fault("GET", each, 503, times=6) for each in ("deployments", "pods")]
        stand.faults += away
        for each in stand.api.execs:
            each._req.transport.abort()
        await eventually(lambda: all(fault.met == fault.times for fault in away), PATIENCE)
        await sac.agents.wait("box", timeout=PATIENCE)
        assert stand.named("pods") == before
        assert (await sac.agents.get("box")).status.restarts == 0
        await gone(sac, stand)


@pytest.fixture
def quick_watches(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], None]:
    """Sets a time of the watches to less than it is."""
    return lambda name, seconds: monkeypatch.setattr(reflector, name, seconds)


async def test_a_pod_that_went_while_the_watch_was_silent_is_found_by_the_next(
    tmp_path: Path, quick_watches: Callable[[str, float], None]
) -> None:
    """The pod's deletion is never told: the watch has lost it. The next list has not."""
    quick_watches("_OPEN", 1)
    quick_watches("_JITTER", 1)
    quick_watches("_RELIST", 2.0)
    async with standing(tmp_path / "stand") as stand, server(tmp_path / "data", stand) as sac:
        await sac.agents.create("box", {"executor": "kubernetes"})
        await sac.agents.wait("box", timeout=PATIENCE)
        world = stand.api.world
        (deployment,) = stand.named("deployments")
        world.objects["deployments"].pop(deployment)
        world.objects["pods"].clear()
        await eventually(lambda: stand.named("pods"), PATIENCE)
        await sac.agents.wait("box", timeout=PATIENCE)
        await gone(sac, stand)
