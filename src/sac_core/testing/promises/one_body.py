"""Promise 1: at most one live body, judged by the beats that bodies leave; older generations are refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import anyio
import pytest

from sac_core.errors import ConflictError
from sac_core.models.launch import NO_SECRETS
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise
from sac_core.testing.simulated_program import Beat


def assert_never_two_alive(beats: Sequence[Beat]) -> None:
    """The beats of one body end before those of the next begin."""
    turns = [beat for beat, _ in groupby(beats)]
    assert len(set(turns)) == len(turns), f"two bodies were alive at once; they beat in turns: {turns[:8]}"


def bodies_of(beats: Sequence[Beat]) -> set[str]:
    return {beat.body for beat in beats}


class OneBody(ContractBase):
    @promise(1)
    async def test_ensuring_twice_is_one_body_without_a_restart(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.beat("twice"))
        await bench.settle(key, launch)
        await bench.beating("twice")
        for _ in range(3):
            await bench.executor.ensure(key, launch, NO_SECRETS)
            await bench.beating("twice", 2)
        assert len(bodies_of(bench.beats("twice"))) == 1, "a repeated ensure restarted the body or made another"
        assert key in await bench.listed()

    @promise(1)
    async def test_a_newer_generation_of_the_same_hash_does_not_restart(self, bench: Bench) -> None:
        key, command = bench.key(), bench.commands.beat("newer")
        await bench.settle(key, self.launch(command, generation=1))
        await bench.beating("newer")
        seen = await bench.settle(key, self.launch(command, generation=2))
        assert seen.generation == 2
        await bench.beating("newer")
        assert len(bodies_of(bench.beats("newer"))) == 1, "a newer generation with the same hash restarted the body"

    @promise(1)
    async def test_a_new_hash_replaces_with_never_two_alive(self, bench: Bench) -> None:
        key = bench.key()
        await bench.settle(key, self.launch(bench.commands.linger("replaced"), generation=1))
        await bench.beating("replaced")
        seen = await bench.settle(key, self.launch(bench.commands.beat("replacing"), generation=2))
        await bench.beating("replacing")
        assert seen.generation == 2
        beats = [beat for beat in bench.commands.beats() if beat.tag in ("replaced", "replacing")]
        assert_never_two_alive(beats)
        assert len(bodies_of(bench.beats("replacing"))) == 1
        await bench.silent("replaced")

    @promise(1)
    async def test_nothing_of_a_replaced_body_lives_on(self, bench: Bench) -> None:
        key = bench.key()
        await bench.settle(key, self.launch(bench.commands.scatter("strays"), generation=1))
        await bench.beating("strays", 1)
        await bench.settle(key, self.launch(bench.commands.beat("heir"), generation=2))
        await bench.beating("heir")
        assert_never_two_alive([beat for beat in bench.commands.beats() if beat.tag in ("strays", "heir")])
        await bench.silent("strays")

    @promise(1)
    async def test_nothing_of_a_killed_body_lives_beside_the_next(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.scatter("survivor"))
        await bench.settle(key, launch)
        first = bodies_of(await bench.beating("survivor", 1))
        await bench.killed(key)

        async def started() -> bool:
            return (await bench.executor.ensure(key, launch, NO_SECRETS)).phase == "running"

        await bench.eventually(started, "a new body after the first was killed")
        await bench.settle(key, launch)
        await bench.eventually(lambda: bodies_of(bench.beats("survivor")) - first, "beats of the new body")
        await bench.beating("survivor")
        assert_never_two_alive(bench.beats("survivor"))

    @promise(1)
    async def test_an_older_generation_is_refused_by_ensure(self, bench: Bench) -> None:
        key = bench.key()
        await bench.settle(key, self.launch(bench.commands.beat("kept"), generation=3))
        await bench.beating("kept")
        with pytest.raises(ConflictError):
            await bench.executor.ensure(key, self.launch(bench.commands.idle(), generation=2), NO_SECRETS)
        with pytest.raises(ConflictError):
            await bench.executor.ensure(key, self.launch(bench.commands.beat("kept"), generation=2), NO_SECRETS)
        assert (await bench.executor.observe(key)).generation == 3
        await bench.beating("kept")
        assert len(bodies_of(bench.beats("kept"))) == 1

    @promise(1)
    async def test_an_older_generation_is_refused_by_delete(self, bench: Bench) -> None:
        key = bench.key()
        await bench.settle(key, self.launch(bench.commands.beat("undeleted"), generation=3))
        with pytest.raises(ConflictError):
            await bench.executor.delete(key, generation=2, grace=0.0, purge=True)
        await bench.beating("undeleted")
        assert (await bench.executor.observe(key)).phase == "running"

    @promise(1)
    async def test_an_older_generation_is_refused_by_stop(self, bench: Bench) -> None:
        await bench.need("stop")
        key = bench.key()
        await bench.settle(key, self.launch(bench.commands.beat("unstopped"), generation=3))
        with pytest.raises(ConflictError):
            await bench.executor.stop(key, generation=2, grace=0.0)
        await bench.beating("unstopped")
        assert (await bench.executor.observe(key)).phase == "running"

    @promise(1)
    async def test_an_ended_body_is_started_again_by_ensure(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.beat("again"))
        await bench.settle(key, launch)
        await bench.beating("again", 1)
        await bench.killed(key)
        await bench.silent("again")
        await bench.executor.ensure(key, launch, NO_SECRETS)
        await bench.settle(key, launch)
        await bench.beating("again")
        assert_never_two_alive(bench.beats("again"))

    @promise(1)
    async def test_another_instance_finds_the_body_and_does_not_restart_it(self, bench: Bench) -> None:
        key, launch = bench.key(), self.launch(bench.commands.beat("adopted"))
        before = await bench.settle(key, launch)
        await bench.beating("adopted")
        await bench.restart()
        found = (await bench.listed()).get(key)
        assert found is not None, "a body of an earlier instance is not listed"
        assert (found.hash, found.generation) == (before.hash, before.generation)
        await bench.executor.ensure(key, launch, NO_SECRETS)
        await bench.beating("adopted")
        assert len(bodies_of(bench.beats("adopted"))) == 1, "a restart of SAC restarted the body"

    @promise(1)
    async def test_different_keys_at_once_do_not_disturb_each_other(self, bench: Bench) -> None:
        tags = [f"crowd-{number}" for number in range(6)]
        keys = [bench.key(tag) for tag in tags]
        async with anyio.create_task_group() as group:
            for key, tag in zip(keys, tags, strict=True):
                group.start_soon(bench.settle, key, self.launch(bench.commands.beat(tag)))
        for tag in tags:
            await bench.beating(tag, 2)
            assert len(bodies_of(bench.beats(tag))) == 1
        await bench.delete(keys[0])
        listed = await bench.listed()
        assert keys[0] not in listed
        assert all(listed[key].phase == "running" for key in keys[1:])
