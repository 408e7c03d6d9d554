"""What grows with the number of agents, on both databases: a page of many, a start with many, writes of two servers."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from itertools import count
from pathlib import Path

from benchmarks.bodies import MEMORY, Server, running_server
from benchmarks.figures import Bar, Figure, compared
from benchmarks.requests import asked, rate
from sac_core.contracts.sac import Sac
from sac_core.contracts.store import Query, Record, Scope, Store
from sac_core.models.principal import LOCAL
from sac_core.store import open_postgres_store, open_sqlite_store
from sac_core.testing.postgres import Cluster, running_cluster
from sac_core.testing.simulated_world import SimulatedWorld

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
        times = [(await _page_time(many, (None, midst)), await _page_time(few, (None,))) for _ in range(rounds + 1)][1:]
    ours, peer = zip(*times, strict=True)
    return compared(f"page of 100 of {agents}, {kind}", "ms", ours, peer, peer_name="of 100", bar=Bar(2.0))


async def _fill(store: Store, agents: int) -> None:
    for first in range(0, agents, _AT_ONCE):
        async with store.transaction(_SCOPE) as unit:
            for number in range(first, min(first + _AT_ONCE, agents)):
                await unit.insert(_record(number))


def _record(number: int) -> Record:
    name = _name(number)
    spec = {"runtime": "shell", "executor": "simulated", "state": "Stopped"}
    return Record(
        "Agent", "default", name, uid=f"uid-{name}", owner="user:local", spec=spec, status={"phase": "Stopped"}
    )


async def _page_time(store: Store, starts: Sequence[str | None], pages: int = 200) -> float:
    """Milliseconds for a page."""
    began = time.perf_counter()
    for number in range(pages):
        page = await store.read(_SCOPE).list("Agent", Query(limit=100, after=starts[number % len(starts)]))
        assert len(page.items) == 100
    return (time.perf_counter() - began) / pages * 1000


async def _start(kind: str, world: SimulatedWorld, agents: int) -> Figure:
    """From nothing to a server that answers, while all agents run; then it looks at each, and touches none."""
    async with world.sac(resync=600) as sac:
        for number in range(agents):
            await sac.agents.create(_name(number))
        await _until(lambda: _all_run(sac, agents), "the agents do not run")
    bodies = {body.serial for body in world.target.bodies()}
    began = time.perf_counter()
    async with world.sac(resync=600) as sac:
        await sac.agents.get(_name(agents - 1))
        took = time.perf_counter() - began
        await _until(lambda: _looked_at(sac, agents), "the agents are not looked at")
    looked = time.perf_counter() - began
    touched = len({body.serial for body in world.target.bodies()} ^ bodies)
    notes = (f"{touched} bodies touched; the last agent was looked at after {looked:.1f} s",)
    return Figure(f"start with {agents} agents, {kind}", took, "s", took, Bar(5.0, unit="s"), notes=notes)


def _name(number: int) -> str:
    return f"a{number:06}"


async def _until(reached: Callable[[], Awaitable[bool]], what: str, *, timeout: float = 600.0) -> None:
    deadline = time.monotonic() + timeout
    while not await reached():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.2)


async def _all_run(sac: Sac, agents: int) -> bool:
    return len((await sac.agents.list(field_selector="status.phase=Running")).items) == agents


async def _looked_at(sac: Sac, agents: int) -> bool:
    """Whether the new server has found all: it notes so in their timelines, the last agent's too."""
    for number in (0, agents // 2, agents - 1):
        timeline = await sac.agents.timeline(_name(number))
        if "a server started" not in " ".join(cause.text for cause in timeline.items):
            return False
    return True


def _two_servers(cluster: Cluster, seconds: float, rounds: int) -> Figure:
    """Agents created a second, through two servers that share a database, beside one that has it alone."""
    both, one = [], []
    with _servers(cluster, 2) as pair, _servers(cluster, 1) as single:
        for number in range(rounds + 1):
            both.append(_created_a_second(pair, f"r{number}", seconds))
            one.append(_created_a_second(single, f"r{number}", seconds))
    return compared("agents created, two servers on PostgreSQL", "a second", both[1:], one[1:], peer_name="one server",
                    bar=Bar(1.3, at_least=True))  # fmt: skip


@contextmanager
def _servers(cluster: Cluster, number: int) -> Iterator[list[Server]]:
    """Servers on one database, with one folder of bodies. Agents are declared as stopped: none gets a body."""
    url = cluster.database()
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, ExitStack() as stack:
        settings = {"SAC_KEYS": _KEY, "SAC_PLUGINS": json.dumps({"process": {"folder": folder}})}
        yield [stack.enter_context(running_server(url, keep=True, **settings)) for _ in range(number)]


def _created_a_second(servers: Sequence[Server], prefix: str, seconds: float) -> float:
    """Of all servers together, each asked over connections of its own."""
    with ThreadPoolExecutor(len(servers)) as threads:
        return sum(threads.map(lambda each: _posts(each[1], f"{prefix}-{each[0]}", seconds), enumerate(servers)))


def _posts(server: Server, prefix: str, seconds: float) -> float:
    numbers = count()

    def request() -> bytes:
        name = f"{prefix}-{next(numbers)}"
        spec = {"executor": "process", "runtime": "shell", "state": "Stopped"}
        return asked(server, "POST", "/api/v1/agents", {"metadata": {"name": name}, "spec": spec})

    return rate(server.url, request, seconds)
