"""Promises 8 and 10: what cannot be honoured is refused; every failure is one of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sac_core.errors import SacError, UnsupportedError
from sac_core.models.launch import NO_SECRETS, Egress, Launch, Resources
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe
from sac_core.testing.fixtures import new_key
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench, refused_naming
from sac_core.testing.promises.marks import promise

NOWHERE = "/sac/no/such/folder"
WISHES: dict[str, tuple[str, dict[str, Any]]] = {
    "no egress": ("egress", {"egress": Egress(mode="none")}),
    "egress to named hosts": ("egress", {"egress": Egress(mode="allow", hosts=("example.com",))}),
    "a GPU": ("gpus", {"resources": Resources(gpus=1)}),
}

RECIPE = Recipe(name="sac-contract-test", setup="true", program="sh", install="true", version=("true",))


class Refusal(ContractBase):
    @promise(8)
    @pytest.mark.parametrize("wish", list(WISHES))
    async def test_what_cannot_be_honoured_is_refused(self, bench: Bench, wish: str) -> None:
        name, template = WISHES[wish]
        if name in self.honours:
            pytest.skip(f"honoured here: {name}")
        key = bench.key()
        with pytest.raises(UnsupportedError):
            await bench.executor.ensure(key, self.launch(**template), NO_SECRETS)
        assert (await bench.executor.observe(key)).phase == "absent"
        assert key not in await bench.listed()

    @promise(8)
    async def test_a_refused_change_leaves_the_body_as_it_was(self, bench: Bench) -> None:
        refused = [template for name, template in WISHES.values() if name not in self.honours]
        if not refused:
            pytest.skip("honoured here: all")
        key = await bench.body(bench.commands.beat("steady"))
        with pytest.raises(UnsupportedError):
            await bench.executor.ensure(key, self.launch(generation=2, **refused[0]), NO_SECRETS)
        await bench.beating("steady")
        assert len({beat.body for beat in bench.beats("steady")}) == 1

    @promise(8)
    async def test_capabilities_that_are_not_claimed_are_unsupported(self, bench: Bench) -> None:
        claimed = (await bench.executor.probe()).capabilities
        key = await bench.body()
        optional: dict[str, Callable[[], Awaitable[object]]] = {
            "stop": lambda: bench.executor.stop(key, generation=1, grace=0.0),
            "dial": lambda: bench.executor.dial(key, 8080),
            "watch": lambda: anext(bench.executor.watch()),
            "images": lambda: anext(bench.executor.build_image(RECIPE, base=None, tag=RECIPE.image)),
        }
        for name, call in optional.items():
            if name not in claimed:
                with pytest.raises(UnsupportedError):
                    await call()
        assert (await bench.executor.observe(key)).phase == "running"

    @promise(10)
    async def test_failures_on_absent_bodies_are_ours(self, bench: Bench) -> None:
        key = new_key()
        with pytest.raises(SacError):
            await bench.links.open_process(key, "p", Command(argv=bench.commands.cat()))
        assert (await bench.executor.delete(key, generation=1, grace=0.0, purge=True)).phase == "absent"

    @promise(10)
    async def test_failures_on_ended_bodies_are_ours(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.emit(1))
        await bench.ended(key, launch)
        try:
            process = await bench.links.open_process(key, "p", Command(argv=bench.commands.emit(0)))
        except SacError:
            return
        await process.aclose()

    @promise(10)
    async def test_a_launch_that_cannot_work_fails_as_ours(self, bench: Bench) -> None:
        for template in ({"cwd": NOWHERE}, {"options": {"sacNoSuchOption": 1}}):
            key = bench.key()
            await self._ours_or_seen(bench, key.agent, self.launch(**template))

    @promise(10)
    async def test_a_command_that_cannot_work_fails_as_ours(self, bench: Bench) -> None:
        key = await bench.body()
        with refused_naming(NOWHERE):
            process = await bench.open(key, "nowhere", bench.commands.emit(0), cwd=NOWHERE)
            await process.wait()

    async def _ours_or_seen(self, bench: Bench, agent: str, launch: Launch) -> None:
        key = bench.key(agent)
        try:
            await bench.executor.ensure(key, launch, NO_SECRETS)
        except SacError:
            return
        seen = await bench.phase(key, "running", "failed", "exited")
        assert seen.phase != "failed" or seen.message, "a failed body has no message"
