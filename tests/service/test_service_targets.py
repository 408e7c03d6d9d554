"""Targets: agents on several of one executor, which come and go while SAC runs. The places are simulated."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from many_places import Places
from postgres_cluster import Cluster
from sac_core.contracts.sac import Sac
from sac_core.errors import ConflictError, InvalidError, NotFoundError, NotReadyError, UnavailableError
from sac_core.models.body import Key, body_labels
from sac_core.models.change import Change, Synced
from sac_core.models.launch import Launch
from sac_core.models.placement import Placement
from sac_core.models.target import Target
from sac_core.service import target_keeper
from sac_core.testing.fixtures import eventually
from sac_core.testing.simulated_target import SimulatedTarget
from simulated_world import World

DEADLINE = 20.0


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_keeper, "_FIRST_RETRY", 0.05)
    monkeypatch.setattr(target_keeper, "_LONGEST_RETRY", 0.2)
    monkeypatch.setattr(target_keeper, "_AGAIN", 0.5)
    monkeypatch.setattr(target_keeper, "AT_START", 1.0)


@pytest.fixture
def world(worlds: Callable[[str], World], places: Places) -> World:
    world = worlds("data")
    world.plugins = [places.plugin()]
    return world


async def declare(sac: Sac, *names: str) -> None:
    for name in names:
        await sac.targets.create(name, "many", {"place": name})
    for name in names:
        await phase(sac, name, "Ready")


async def phase(sac: Sac, name: str, wanted: str) -> Target:
    async def is_so() -> bool:
        return (await sac.targets.get(name)).status.phase == wanted

    await eventually(is_so, DEADLINE)
    return await sac.targets.get(name)


async def run(sac: Sac, agent: str, target: str | None = None) -> None:
    executor = {"name": "many", **({"target": target} if target else {})}
    await sac.agents.create(agent, {"executor": executor})
    await sac.agents.wait(agent, timeout=DEADLINE)


async def test_agents_of_several_targets_are_never_mixed_up(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        for agent, target in (("a", "one"), ("b", "two"), ("c", None), ("d", "default")):
            await run(sac, agent, target)
        assert (places.agents("one"), places.agents("two"), places.agents("own")) == (["a"], ["b"], ["c", "d"])
        placed = {agent.metadata.name: str(agent.status.placement) for agent in (await sac.agents.list()).items}
        assert placed == {"a": "many/one", "b": "many/two", "c": "many", "d": "many"}
        found = await sac.agents.list(field_selector="status.target=two")
        assert [agent.metadata.name for agent in found.items] == ["b"]
        before = places.bodies("two")
        await sac.agents.restart("a")
        await sac.agents.wait("a", timeout=DEADLINE)
        await sac.agents.delete("c")
        await sac.agents.wait("c", "absent", timeout=DEADLINE)
        assert places.bodies("two") == before
        assert (places.agents("one"), places.agents("own")) == (["a"], ["d"])
        actors = {cause.actor for cause in (await sac.agents.timeline("b")).items}
        assert "executor:many/two" in actors


async def test_a_restart_finds_them_all_and_touches_none(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        await run(sac, "a", "one")
        await run(sac, "b", "two")
    before = places.bodies("one") + places.bodies("two")
    async with world.sac() as sac:
        for agent in ("a", "b"):
            found = await sac.agents.wait(agent, timeout=DEADLINE)
            assert found.status.restarts == 0
            assert all(known.status == "True" for known in found.status.conditions)
        assert (await sac.exec("a", ["echo", "one"])).stdout.strip() == "one"
    assert places.bodies("one") + places.bodies("two") == before


async def test_an_agent_stays_where_it_was_created(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        await run(sac, "a", "one")
        for executor in ("many", {"name": "many", "target": "one"}, None):
            await sac.agents.patch("a", {"spec": {"executor": executor, "restart": "on-failure"}})
        for executor in ({"name": "many", "target": "two"}, {"name": "many", "target": "default"}, "simulated"):
            with pytest.raises(InvalidError) as no:
                await sac.agents.patch("a", {"spec": {"executor": executor}})
            assert no.value.field == "spec.executor"
            assert "many/one" in no.value.message
        await sac.agents.restart("a")
        await sac.agents.wait("a", timeout=DEADLINE)
        assert places.agents("one") == ["a"]


async def test_a_target_that_is_not_there_is_refused_with_those_that_are(world: World) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        with pytest.raises(InvalidError) as no:
            await sac.agents.create("a", {"executor": {"name": "many", "target": "three"}})
        assert (no.value.field, no.value.hint) == ("spec.executor.target", "known: default, one, two")
        with pytest.raises(InvalidError, match="no target 'one'"):
            await sac.agents.create("a", {"executor": {"name": "simulated", "target": "one"}})


async def test_new_agents_go_to_the_default_target_and_old_ones_stay(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        await run(sac, "before")
        assert (await sac.targets.set_default("one")).target == "one"
        assert (await sac.targets.set_default("two")).target == "two"
        assert [t.metadata.name for t in (await sac.targets.list()).items if t.status.default] == ["two"]
        await run(sac, "after")
        await sac.agents.patch("before", {"spec": {"restart": "never"}})
        await sac.agents.wait("before", timeout=DEADLINE)
        assert (places.agents("own"), places.agents("one"), places.agents("two")) == (["before"], [], ["after"])
        await sac.agents.delete("after")
        await sac.agents.wait("after", "absent", timeout=DEADLINE)
        with pytest.raises(ConflictError, match="is the default"):
            await sac.targets.delete("two")
        with pytest.raises(InvalidError):
            await sac.targets.set_default("default")
        await sac.targets.set_default("default", executor="many")
        await run(sac, "last")
        assert places.agents("own") == ["before", "last"]
        await sac.targets.delete("two")


async def test_one_that_takes_no_new_agents_keeps_those_it_has(
    world: World, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_keeper, "_AGAIN", 600.0)
    async with world.sac() as sac:
        await declare(sac, "one")
        await run(sac, "a", "one")
        opened = list(places.open)
        await sac.targets.patch("one", {"spec": {"schedulable": False}})
        with pytest.raises(ConflictError) as no:
            await sac.agents.create("b", {"executor": {"name": "many", "target": "one"}})
        assert no.value.reason == "Unschedulable"

        async def is_looked_at() -> bool:
            target = await sac.targets.get("one")
            return target.status.observed_generation == target.metadata.generation

        await eventually(is_looked_at, DEADLINE)
        await sac.agents.restart("a")
        await sac.agents.wait("a", timeout=DEADLINE)
        assert places.open == opened


async def test_one_that_does_not_open_is_tried_again_and_harms_nobody(world: World, places: Places) -> None:
    places.closed.add("one")
    async with world.sac() as sac:
        await sac.targets.create("one", "many", {"place": "one"})
        status = (await phase(sac, "one", "NotReady")).status
        assert (status.reason, status.message) == ("Unavailable", "the door is closed (open it)")
        assert [(known.type, known.status) for known in status.conditions] == [("Opened", "False")]
        await sac.agents.create("a", {"executor": {"name": "many", "target": "one"}})
        await run(sac, "b")
        findings = {finding.check: finding for finding in (await sac.status()).findings}
        assert findings["target many/one"].level == "error"
        with pytest.raises(UnavailableError, match="the door is closed"):
            await sac.targets.test("one")
        places.closed.clear()
        await sac.agents.wait("a", timeout=DEADLINE)
        status = (await phase(sac, "one", "Ready")).status
        assert {known.type: known.status for known in status.conditions} == {"Opened": "True", "Reachable": "True"}


async def test_one_that_hangs_holds_up_neither_the_start_nor_others(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        await run(sac, "a", "one")
    places.stuck.add("two")
    async with world.sac() as sac:
        assert (await sac.agents.wait("a", timeout=DEADLINE)).status.phase == "Running"
        assert (await sac.targets.test("one")).reachable
        await run(sac, "b", "one")
    places.stuck.clear()
    places.silent.add("two")
    async with world.sac() as sac:
        await run(sac, "c", "one")
        places.silent.clear()


async def test_one_out_of_reach_says_so_and_heals(world: World, places: Places) -> None:
    async with world.sac() as sac:
        places.absent.add("one")
        await sac.targets.create("one", "many", {"place": "one"})
        status = (await phase(sac, "one", "NotReady")).status
        assert (status.reason, status.message, len(status.findings)) == ("Unreachable", "nobody is there", 1)
        assert not (await sac.targets.test("one")).reachable
        places.absent.clear()
        assert (await sac.targets.test("one")).reachable
        status = (await phase(sac, "one", "Ready")).status
        assert (status.findings, "watch" in status.capabilities) == ((), True)
        version = (await sac.targets.get("one")).metadata.resource_version
        seen = places.probes["one"]

        async def probed_again() -> bool:
            return places.probes["one"] >= seen + 3

        await eventually(probed_again, DEADLINE)
        assert (await sac.targets.get("one")).metadata.resource_version == version


async def test_one_that_ends_by_itself_is_opened_again(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        await run(sac, "a", "one")
        body = places.bodies("one")
        times = places.opened.count("one")
        places.broken["one"].set()

        async def is_open_again() -> bool:
            return places.opened.count("one") == times + 1

        await eventually(is_open_again, DEADLINE)
        await phase(sac, "one", "Ready")
        await sac.agents.wait("a", timeout=DEADLINE)

        async def answers() -> bool:
            try:
                return (await sac.exec("a", ["echo", "on"])).stdout.strip() == "on"
            except (NotReadyError, UnavailableError):
                return False

        await eventually(answers, DEADLINE)
        assert places.bodies("one") == body
        assert places.opened.count("two") == 1


async def test_an_own_target_that_comes_late_tells_then_what_it_can_do(world: World, places: Places) -> None:
    places.absent.add("own")
    async with world.serve() as core:
        own = core.services.targets.opened[Placement("many")]
        assert not own.watches
        places.absent.clear()

        async def is_known() -> bool:
            return own.watches

        await eventually(is_known, DEADLINE)


async def test_one_with_agents_is_not_deleted_and_an_empty_one_is_closed(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        await run(sac, "a", "one")
        with pytest.raises(ConflictError, match="agents are on target 'one': default/a") as no:
            await sac.targets.delete("one")
        assert no.value.reason == "InUse"
        with pytest.raises(ConflictError):
            await sac.targets.patch("one", {"spec": {"settings": {"place": "two"}}})
        await sac.agents.delete("a")
        await sac.agents.wait("a", "absent", timeout=DEADLINE)
        await sac.targets.delete("one")

        async def is_closed() -> bool:
            return "one" not in places.open

        await eventually(is_closed, DEADLINE)
        with pytest.raises(NotFoundError):
            await sac.targets.get("one")
        with pytest.raises(InvalidError):
            await sac.agents.create("a", {"executor": {"name": "many", "target": "one"}})
        await sac.targets.create("one", "many", {"place": "three"})
        await run(sac, "a", "one")
        assert (places.agents("one"), places.agents("three"), "two" in places.open) == ([], ["a"], True)


async def test_an_empty_one_is_opened_again_with_other_settings(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one")
        await sac.targets.patch("one", {"spec": {"settings": {"place": "other"}}})

        async def is_other() -> bool:
            return "other" in places.open and "one" not in places.open

        await eventually(is_other, DEADLINE)
        await run(sac, "a", "one")
        assert places.agents("other") == ["a"]


async def test_bodies_that_nobody_claims_are_removed_from_the_target_where_they_are(
    world: World, places: Places
) -> None:
    async with world.sac() as sac:
        await declare(sac, "one", "two")
        await run(sac, "a", "one")
        key = Key("default", "gone", "0" * 32)
        owner = (await sac.status()).installation
        places.targets["two"].create(key, body_labels(owner, key, generation=1, hash="h"), Launch())
        places.targets["one"].create(key, {"app": "somebody-else"})

        async def is_removed() -> bool:
            return places.agents("two") == []

        await eventually(is_removed, DEADLINE)
        assert places.agents("one") == ["a", "gone"]


async def test_secret_settings_are_kept_and_never_shown(world: World, places: Places) -> None:
    seen: list[Any] = []
    async with world.sac() as sac:
        made = await sac.targets.create("one", "many", {"place": "one", "key": "canary-1"})
        assert (made.spec.settings, made.status.sealed) == ({"place": "one"}, ("key",))
        await phase(sac, "one", "Ready")
        assert places.keys == ["canary-1"]
        await run(sac, "a", "one")
        await sac.targets.patch("one", {"metadata": {"labels": {"zone": "b"}}, "spec": {"schedulable": False}})
        await sac.targets.patch("one", {"spec": {"settings": {"key": "canary-2"}}})  # with an agent there

        async def has_the_new_one() -> bool:
            return places.keys == ["canary-1", "canary-2"]

        await eventually(has_the_new_one, DEADLINE)
        assert (await sac.targets.get("one")).metadata.generation == 3
        await sac.agents.wait("a", timeout=DEADLINE)
        assert (await sac.exec("a", ["echo", "on"])).stdout.strip() == "on"
        seen += [made, *(await sac.targets.list()).items]
        await sac.targets.replace_from("one", {"metadata": {"name": "one"}, "spec": seen[-1].spec.to_wire()})
        assert (await sac.targets.get("one")).status.sealed == ("key",)
    async with world.sac() as sac:
        await phase(sac, "one", "Ready")
        assert places.keys[-1] == "canary-2"
        await sac.targets.patch("one", {"spec": {"settings": {"key": None}}})
        assert (await sac.targets.get("one")).status.sealed == ()
        async with aclosing(sac.watch(kinds=["Target"])) as changes:  # type: ignore[type-var]
            async for change in changes:
                seen.append(change)
                if isinstance(change, Synced):
                    break
    assert "canary" not in repr(seen)


@pytest.mark.parametrize(
    ("patch", "stays"),
    [
        ({"key": None}, ("tls.key",)),
        ({"tls": {"key": None}}, ("key",)),
        ({"tls": None}, ("key",)),
        ({"tls": {"name": "n2"}}, ("key", "tls.key")),
        (None, ()),
    ],
)
async def test_secret_settings_are_removed_alone_or_with_what_they_are_in(
    world: World, patch: dict[str, Any] | None, stays: tuple[str, ...]
) -> None:
    async with world.sac() as sac:
        tls = {"name": "n", "key": "canary-2"}
        await sac.targets.create("one", "many", {"place": "one", "key": "canary-1", "tls": tls})
        changed = await sac.targets.patch("one", {"spec": {"settings": patch}})
        assert changed.status.sealed == stays
        assert (await sac.targets.get("one")).status.sealed == stays


async def test_a_replacement_without_what_a_secret_is_in_has_no_such_secret(world: World) -> None:
    async with world.sac() as sac:
        made = await sac.targets.create("one", "many", {"place": "one", "key": "canary-1", "tls": {"key": "canary-2"}})
        spec = made.spec.to_wire()
        assert spec["settings"] == {"place": "one", "tls": {}}
        await sac.targets.replace_from("one", {"metadata": {"name": "one"}, "spec": spec})
        assert (await sac.targets.get("one")).status.sealed == ("key", "tls.key")
        bare = {**spec, "settings": {"place": "one"}}
        await sac.targets.replace_from("one", {"metadata": {"name": "one"}, "spec": bare})
        assert (await sac.targets.get("one")).status.sealed == ("key",)


async def test_watchers_of_all_kinds_are_told_of_targets_in_order(world: World) -> None:
    async with world.sac() as sac:
        await declare(sac, "one")
        told: list[Change[Any]] = []
        async with aclosing(sac.watch()) as changes:  # type: ignore[type-var]
            async for change in changes:
                if isinstance(change, Synced):
                    await sac.targets.create("two", "many", {"place": "two"})
                    await sac.agents.create("a", {"executor": {"name": "many", "target": "one"}})
                    await sac.targets.patch("two", {"metadata": {"labels": {"last": "yes"}}})
                elif isinstance(change, Change):
                    told.append(change)
                    if change.object.metadata.labels.get("last"):
                        break
    versions = [change.version for change in told[1:]]
    assert versions == sorted(set(versions))
    assert {change.object.metadata.name for change in told} == {"one", "two", "a"}
    assert {change.object.metadata.namespace for change in told if change.object.kind == "Target"} == {""}


@pytest.mark.parametrize(
    ("name", "spec", "field"),
    [
        ("default", {"executor": "many"}, "metadata.name"),
        ("one", {"executor": "nosuch"}, "spec.executor"),
        ("one", {"executor": "many", "settings": {"plaec": "one"}}, "spec.settings.plaec"),
        ("one", {"executor": "many", "settings": {"key": {"canary": 1}}}, "spec.settings.key"),
        ("one", {}, "spec.executor"),
    ],
)
async def test_what_is_wrong_is_named(world: World, name: str, spec: dict[str, Any], field: str) -> None:
    async with world.sac() as sac:
        with pytest.raises(InvalidError) as no:
            await sac.targets.create_from({"metadata": {"name": name}, "spec": spec})
        assert no.value.field == field
        assert "canary" not in str(no.value)


@pytest.fixture
def pair(tmp_path: Path, postgres: Cluster, places: Places, monkeypatch: pytest.MonkeyPatch) -> tuple[World, World]:
    """Two servers on two machines, with one database."""
    monkeypatch.setenv("SAC_KEYS", "a" * 43 + "=")
    monkeypatch.setenv("SAC_LEASE", "20")  # on a busy machine a shorter one may run out
    database, target = postgres.database(), SimulatedTarget()
    worlds = [World(tmp_path / name, target, [places.plugin(name)], database) for name in ("one", "two")]
    return worlds[0], worlds[1]


async def test_every_server_opens_what_is_declared_and_closes_what_is_deleted(
    pair: tuple[World, World], places: Places
) -> None:
    async with pair[0].sac() as one, pair[1].sac() as two:
        await declare(one, "shared")

        async def both() -> bool:
            return places.open.count("shared") == 2

        await eventually(both, DEADLINE)
        await run(two, "a", "shared")
        await run(one, "b", "shared")
        assert places.agents("shared") == ["a", "b"]
        for agent in ("a", "b"):
            await two.agents.delete(agent)
            await one.agents.wait(agent, "absent", timeout=DEADLINE)
        await two.targets.delete("shared")

        async def none() -> bool:
            return "shared" not in places.open

        await eventually(none, DEADLINE)


async def test_what_is_reached_from_one_machine_is_served_from_there(pair: tuple[World, World], places: Places) -> None:
    places.local.add("near")
    async with pair[0].sac() as one:
        await declare(one, "near")
        async with pair[1].sac() as two:
            with pytest.raises(UnavailableError, match="does not reach") as refused:
                await two.targets.test("near")
            assert refused.value.reason == "OutOfReach"
            await run(two, "a", "near")  # the other one does it
            await two.agents.restart("a")
            await two.agents.wait("a", timeout=DEADLINE)
            assert (await two.targets.get("near")).status.place == "one:near"
        body = places.bodies("near")
        assert (await one.agents.wait("a", timeout=DEADLINE)).status.restarts == 0
        assert places.bodies("near") == body


async def test_an_agent_whose_target_never_comes_back_can_be_given_up(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one")
        await run(sac, "a", "one")
        await run(sac, "b", "one")
    places.closed.add("one")
    async with world.sac() as sac:
        uid = (await sac.agents.get("a")).metadata.uid
        await sac.agents.delete("a")

        async def waits() -> bool:
            return (await sac.agents.get("a")).status.reason == "Unavailable"

        await eventually(waits, DEADLINE)
        assert "sac delete --abandon a" in (await sac.agents.get("a")).status.message
        for agent in ("a", "b"):
            await sac.agents.delete(agent, abandon=True)
            await sac.agents.wait(agent, "absent", timeout=DEADLINE)
        story = (await sac.agents.timeline(uid)).items
        assert "deleted without its executor's answer, as user:local asked" in story[-1].text
        assert "the door is closed" in story[-1].text
        await sac.targets.delete("one")
        assert places.agents("one") == ["a", "b"]


async def test_what_was_given_up_is_removed_when_its_target_answers_again(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await declare(sac, "one")
        await run(sac, "a", "one")
    places.closed.add("one")
    async with world.sac() as sac:
        await sac.agents.delete("a", abandon=True)
        await sac.agents.wait("a", "absent", timeout=DEADLINE)
        assert places.agents("one") == ["a"]
        places.closed.clear()

        async def is_gone() -> bool:
            return not places.agents("one")

        await eventually(is_gone, DEADLINE)


async def test_an_executor_that_answers_removes_what_is_given_up(world: World, places: Places) -> None:
    async with world.sac() as sac:
        await run(sac, "a")
        await sac.agents.delete("a", abandon=True)
        await sac.agents.wait("a", "absent", timeout=DEADLINE)
        assert places.agents("own") == []
        assert "without its executor" not in (await sac.agents.timeline("a")).items[-1].text


async def test_volumes_of_what_is_given_up_cannot_be_kept(world: World) -> None:
    async with world.sac() as sac:
        await sac.agents.create("a", {"executor": "many", "keepVolumes": True})
        await sac.agents.create("b", {"executor": "many"})
        for name, keeps in (("a", False), ("b", True)):
            with pytest.raises(InvalidError, match="its volumes with it") as refused:
                await sac.agents.delete(name, abandon=True, keep_volumes=keeps)
            assert refused.value.field == "abandon"
            assert (await sac.agents.get(name)).metadata.deletion_timestamp is None
