"""Promise 4: `bodies` and `observe` tell of everything there is, in any state, and agree."""

from __future__ import annotations

import pytest

from sac_core.models.agent import FAILED_REASONS
from sac_core.models.body import Observed
from sac_core.models.launch import NO_SECRETS
from sac_core.testing.fixtures import new_key
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench, refused_naming
from sac_core.testing.promises.marks import promise


def essence(seen: Observed) -> tuple[object, ...]:
    """What two looks at a settled body have in common."""
    return seen.key, seen.phase, seen.reason, seen.hash, seen.generation, seen.exit


class Omission(ContractBase):
    @promise(4)
    async def test_what_was_never_made_is_absent(self, bench: Bench) -> None:
        key = new_key()
        seen = await bench.executor.observe(key)
        assert (seen.key, seen.phase) == (key, "absent")
        assert key not in await bench.listed()

    @promise(4)
    async def test_a_body_is_listed_as_soon_as_ensure_returns(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch()
        returned = await bench.executor.ensure(key, launch, NO_SECRETS)
        assert returned.key == key
        assert returned.phase in ("pending", "running")
        listed = (await bench.listed()).get(key)
        assert listed is not None, "ensure returned, and bodies() does not list the body"
        assert (listed.hash, listed.generation) == (launch.hash, launch.generation)

    @promise(4)
    async def test_an_exited_body_is_listed_with_its_exit(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.emit(3))
        seen = await bench.ended(key, launch)
        if seen.holder:
            pytest.skip("capability: exit (a holder keeps the body when its command ends)")
        listed = (await bench.listed()).get(key)
        assert listed is not None, "bodies() does not list an exited body"
        assert essence(listed) == essence(seen)
        assert seen.exit is not None
        assert seen.exit.code == 3
        assert (seen.hash, seen.generation) == (launch.hash, launch.generation)

    @promise(4)
    async def test_bodies_and_observe_agree_on_every_state(self, bench: Bench) -> None:
        keys = [bench.key(name) for name in ("waiting", "busy", "ended")]
        await bench.settle(keys[0], self.launch())
        await bench.settle(keys[1], self.launch(bench.commands.idle()))
        await bench.ended(keys[2], self.launch(bench.commands.emit(0)))
        listed = await bench.listed()
        for key in keys:
            assert key in listed, f"bodies() does not list the body {key.agent}"
            assert essence(listed[key]) == essence(await bench.executor.observe(key))

    @promise(4)
    async def test_a_body_that_was_killed_is_listed(self, bench: Bench) -> None:
        key = await bench.body(bench.commands.idle())
        seen = await bench.killed(key)
        assert seen.phase == "exited" or (seen.reason in FAILED_REASONS and seen.message)
        listed = (await bench.listed()).get(key)
        assert listed is not None, "bodies() does not list a body that was killed"
        assert essence(listed) == essence(seen)

    @promise(4)
    async def test_a_body_that_starts_slowly_is_listed_meanwhile(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch()
        await self.slow_start(key)
        await bench.executor.ensure(key, launch, NO_SECRETS)
        listed = (await bench.listed()).get(key)
        assert listed is not None, "bodies() does not list a pending body"
        assert listed.phase == "pending"

    @promise(4)
    async def test_a_body_that_cannot_start_says_why(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.missing)
        with refused_naming(bench.commands.missing[0]):
            seen = await bench.ended(key, launch)
            told = f"{seen.reason} {seen.message} {seen.exit}"
            assert bench.commands.missing[0] in told or "NotFound" in told or "127" in told
            assert seen.phase != "failed" or seen.reason in FAILED_REASONS
            assert key in await bench.listed()

    @promise(4)
    async def test_absent_is_success_and_delete_leaves_nothing(self, bench: Bench) -> None:
        key = await bench.body(bench.commands.scatter("leaving"))
        await bench.beating("leaving", 1)
        await bench.gone(key)
        again = await bench.executor.delete(key, generation=1, grace=0.0, purge=True)
        assert again.phase == "absent"
        assert key not in await bench.listed()
        await bench.silent("leaving")

    @promise(4)
    async def test_a_body_made_again_after_delete_is_new(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.mark("reborn"), generation=5)
        await bench.settle(key, launch, phases=("running", "exited"))
        await bench.marked("reborn")
        await bench.delete(key)
        await bench.settle(key, self.launch(bench.commands.mark("reborn")), phases=("running", "exited"))
        await bench.eventually(lambda: len(bench.beats("reborn")) == 2, "a second body after the first was deleted")
