"""What grows with the number of agents, on both databases: a page of many, a start with many, writes of two servers."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from benchmarks.bodies import MEMORY, Server, running_server
from benchmarks.figures import Bar, Figure, compared
from benchmarks.requests import rate_of_posts
from sac_core.contracts.store import Query, Record, Scope, Store
from sac_core.models.principal import LOCAL
from sac_core.store import open_postgres_store, open_sqlite_store
from sac_core.testing.postgres import Cluster, running_cluster
from sac_core.testing.simulated_world import SimulatedWorld

T = TypeVar("T")
Open = Callable[[], AbstractAsyncContextManager[Store]]

_SCOPE = Scope(LOCAL, "default")
_AT_ONCE = 1000
_KEY = "c2FjIGJlbmNobWFya3Mgc2FjIGJlbmNobWFya3Mgc2E="


def measure(*, agents: int = 100_000, started: int = 2_500, seconds: float = 4.0, rounds: int = 5) -> Iterator[Figure]:
    """On SQLite, then on a PostgreSQL of the benchmark's own."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, running_cluster(MEMORY) as cluster:
        place = Path(folder)
        yield asyncio.run(_pages("SQLite", lambda name: open_sqlite_store(place / name, server_id="b"), agents, rounds))
        urls = {name: cluster.database() for name in ("few", "many")}
        yield asyncio.run(_pages("PostgreSQL", lambda name: open_postgres_store(urls[name]), agents, rounds))
        yield asyncio.run(_start("SQLite", SimulatedWorld(place / "a"), started))
        world = SimulatedWorld(place / "b", database=cluster.database())
        yield asyncio.run(_start("PostgreSQL", world, started))
        yield _two_servers(cluster, seconds, rounds)


async def _pages(
    kind: str, opened: Callable[[str], AbstractAsyncContextManager[Store]], agents: int, rounds: int
) -> Figure:
    """Pages of 100, from the beginning and from the midst, of many agents and of 100."""
    async with opened("few") as few, opened("many") as many:
        await _fill(few, 100)
        await _fill(many, agents)
        midst = (await many.read(_SCOPE).list("Agent", Query(limit=agents // 2))).next
        times = [
            (await _pages_a_second(many, (None, midst)), await _pages_a_second(few, (None,))) for _ in range(rounds + 1)
        ][1:]
    ours, peer = zip(*times, strict=True)
    return compared(f"page of 100 of {agents}, {kind}", "ms", ours, peer, peer_name="of 100", bar=Bar(2.0))


async def _fill(store: Store, agents: int) -> None:
    for first in range(0, agents, _AT_ONCE):
        async with store.transaction(_SCOPE) as unit:
            for number in range(first, min(first + _AT_ONCE, agents)):
                await unit.insert(_record(number))


def _record(number: int) -> Record:
    name = f"a{number:06}"
    spec = {"runtime": "shell", "executor": "simulated", "state": "Stopped"}
    return Record("Agent", "default", name, uid=f"uid-{name}", owner="user:local", spec=spec, status={"phase": "Stopped"})


async def _pages_a_second(store: Store, starts: Sequence[str | None], pages: int = 200) -> float:
    """Milliseconds for a page."""
    began = time.perf_counter()
    for number in range(pages):
        page = await store.read(_SCOPE).list("Agent", Query(limit=100, after=starts[number % len(starts)]))
        assert len(page.items) == 100
    return (time.perf_counter() - began) / pages * 1000


async def _start(kind: str, world: SimulatedWorld, agents: int) -> Figure:
    """From nothing to a server that answers, while all agents run; then it looks at each, and touches none."""
    async with world.sac() as sac:
        for number in range(agents):
            await sac.agents.create(f"a{number:05}", {"runtime": "shell", "command": ["wait"]})
        await _until(lambda: _all_run(world, agents), "the agents do not run")
    bodies = {body.serial for body in world.target.bodies()}
    began = time.perf_counter()
    async with world.sac() as sac:
        await sac.agents.get("a00000")
        took = time.perf_counter() - began
        await _until(lambda: _settled(sac), "the agents are not looked at")
    touched = len({body.serial for body in world.target.bodies()} - bodies)
    return Figure(f"start with {agents} agents, {kind}", took, "s", took, Bar(5.0, unit="s"), notes=(f"{touched} bodies touched",))
