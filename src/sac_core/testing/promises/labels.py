"""Promise 2: bodies carry our labels; what is not ours is never touched; a name is only a label."""

from __future__ import annotations

from contextlib import suppress

from sac_core.errors import SacError
from sac_core.models.body import Key, body_labels
from sac_core.models.launch import NO_SECRETS
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import NEWEST, Bench
from sac_core.testing.promises.marks import promise


class Labels(ContractBase):
    @promise(2)
    async def test_bodies_carry_all_labels(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(generation=4)
        await bench.settle(key, launch)
        wanted = body_labels(bench.context.owner, key, generation=4, hash=launch.hash)
        found = await self.labels(bench.executor, key)
        assert {name: found.get(name) for name in wanted} == wanted
        newer = self.launch(generation=5)
        await bench.settle(key, newer)
        assert (await self.labels(bench.executor, key))["sac/generation"] == "5"

    @promise(2)
    async def test_bodies_of_another_owner_are_not_seen(self, bench: Bench) -> None:
        async with Bench(self, self.other_owner(bench.context), bench.commands) as other:
            key = other.key()
            await other.settle(key, self.launch())
            assert key not in await bench.listed(), "bodies() lists a body of another owner"
            assert (await bench.executor.observe(key)).phase == "absent", "observe() sees a body of another owner"

    @promise(2)
    async def test_bodies_of_another_owner_are_not_touched(self, bench: Bench) -> None:
        async with Bench(self, self.other_owner(bench.context), bench.commands) as other:
            key = other.key()
            before = await other.settle(key, self.launch(other.commands.beat("foreign")))
            await other.beating("foreign")
            await bench.executor.delete(key, generation=NEWEST, grace=0.0, purge=True)
            await other.beating("foreign")
            after = await other.executor.observe(key)
            assert (after.phase, after.hash, after.generation) == ("running", before.hash, before.generation)
            await self._ensure_and_delete_ours(bench, key)
            await other.beating("foreign")
            assert len({beat.body for beat in other.beats("foreign")}) == 1, "another owner's body was restarted"

    @promise(2)
    async def test_what_has_no_owner_label_is_left_alone(self, bench: Bench) -> None:
        lives = await self.stranger(bench.context)
        before = set(await bench.listed())
        key = await bench.body(bench.commands.idle())
        assert set(await bench.listed()) == before | {key}, "bodies() lists what lacks our label"
        await bench.delete(key)
        await bench.restart()
        assert await lives(), "what lacks our label was ended"

    @promise(2)
    async def test_a_name_is_only_a_label(self, bench: Bench) -> None:
        first, second = bench.key("same-name"), bench.key("same-name")
        await bench.settle(first, self.launch(bench.commands.beat("first")))
        await bench.settle(second, self.launch(bench.commands.beat("second")))
        assert {first, second} <= set(await bench.listed())
        await bench.delete(first)
        await bench.silent("first")
        await bench.beating("second")
        assert len({beat.body for beat in bench.beats("second")}) == 1

    async def _ensure_and_delete_ours(self, bench: Bench, key: Key) -> None:
        """The same uid under our owner: refused or a body of its own, as the backend allows."""
        with suppress(SacError):
            await bench.executor.ensure(key, self.launch(bench.commands.idle(), generation=7), NO_SECRETS)
            await bench.phase(key, "running")
        await bench.delete(key)
