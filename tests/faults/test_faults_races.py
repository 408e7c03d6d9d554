"""Many want the same at one moment, through one server or two: one wins, the others are told, one body lives."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from postgres_cluster import Cluster
from sac_core.contracts.sac import Sac
from sac_core.errors import SacError
from sac_core.testing.fixtures import eventually
from sac_core.testing.judgement import disagreements, doubles
from simulated_world import World

WORKERS = 20
ROUNDS = 4


@pytest.fixture(params=["one server on SQLite", "two servers on PostgreSQL"])
async def racing(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[World, list[Sac]]]:
    """The outside world, and the surface of each server on it."""
    monkeypatch.setenv("SAC_KEYS", base64.b64encode(b"k" * 32).decode())
    world = World(tmp_path / "one")
    worlds = [world]
    if request.param.startswith("two"):
        cluster: Cluster = request.getfixturevalue("postgres")
        world.database = cluster.database()
        worlds.append(World(tmp_path / "two", target=world.target, database=world.database))
    async with AsyncExitStack() as stack:
        yield world, [await stack.enter_async_context(each.sac()) for each in worlds]


async def race(servers: Sequence[Sac], act: Callable[[Sac], Awaitable[object]]) -> Counter[str]:
    """All at once, spread over the servers; how each ended."""
    ended, ready = Counter[str](), anyio.Event()

    async def run(sac: Sac) -> None:
        await ready.wait()
        try:
            await act(sac)
        except SacError as error:
            ended[error.reason] += 1
        else:
            ended["done"] += 1

    async with anyio.create_task_group() as group:
        for number in range(WORKERS):
            group.start_soon(run, servers[number % len(servers)])
        ready.set()
    return ended


async def at_rest(world: World, servers: Sequence[Sac]) -> None:
    """Every server says the same, and the bodies say it too."""

    async def agreed() -> bool:
        seen = [((await sac.agents.list()).items, (await sac.sessions.list()).items) for sac in servers]
        return not any(found for rows in seen for found in disagreements(world.target, *rows))

    await eventually(agreed, 30)
    assert list(doubles(world.target)) == []


async def one_round(world: World, servers: Sequence[Sac], name: str) -> None:
    """A life of an agent in which every step is wanted by all at once."""
    made = await race(servers, lambda sac: sac.agents.create(name, {"command": ["beat", name]}))
    assert made == {"done": 1, "AlreadyExists": WORKERS - 1}
    await servers[0].agents.wait(name, timeout=30)
    for told in (
        await race(servers, lambda sac: sac.agents.stop(name)),
        await race(servers, lambda sac: sac.agents.restart(name)),
    ):
        assert set(told) <= {"done", "Conflict"}, told
        assert told["done"] >= 1
    await at_rest(world, servers)
    gone = await race(servers, lambda sac: sac.agents.delete(name))
    assert set(gone) <= {"done", "NotFound"}, gone
    await at_rest(world, servers)
    assert not list(world.target.bodies())


async def test_of_many_one_wins_and_one_body_lives(racing: tuple[World, list[Sac]]) -> None:
    world, servers = racing
    for number in range(ROUNDS):
        await one_round(world, servers, f"a{number}")


async def test_the_same_request_through_two_servers_makes_one_agent(racing: tuple[World, list[Sac]]) -> None:
    world, servers = racing
    uids = set[str]()

    async def create(sac: Sac) -> None:
        uids.add((await sac.agents.create("a1", idempotency_key="once")).metadata.uid)

    assert await race(servers, create) == {"done": WORKERS}
    assert len(uids) == 1
    await at_rest(world, servers)
