"""Random operations of several clients on a real server with real bodies, which is killed again and again.

`nox -s soak -- --seed 7 --operations 10000 --database postgres`. The order of each client's operations and of the kills
follows the seed; what the scheduler makes of it does not.
"""

from __future__ import annotations

import argparse
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from live_server import LiveServer
from postgres_cluster import Cluster, running_cluster
from sac_core.testing.fixtures import eventually
from soak_clients import Client, clients
from soak_judge import problems

KILL_EVERY = (50, 200)
"""Operations between two kills."""

_ROUND = 600.0
"""Seconds until the operations between two kills are done, at the latest."""
_AWAY = 0.1
"""Seconds until a client that found no server tries again."""


@dataclass
class Soak:
    """One run. ``cluster`` crashes now and then too, when there is one."""

    server: LiveServer
    seed: int
    operations: int
    cluster: Cluster | None = None
    kills: Counter[str] = field(default_factory=Counter)
    left: int = 0

    def __post_init__(self) -> None:
        self.clients = clients(self.seed, self.server.folder.parent)
        self._random = random.Random(f"{self.seed}/kills")

    @property
    def done(self) -> Counter[str]:
        """How many operations of each kind were done."""
        return sum((client.done for client in self.clients), start=Counter[str]())

    @property
    def refused(self) -> Counter[str]:
        """How many of them were refused, by reason."""
        return sum((client.refused for client in self.clients), start=Counter[str]())

    async def run(self) -> list[str]:
        """All operations; the first problems that were found end it."""
        await self.server.start()
        remaining = self.operations
        while remaining > 0:
            self.left = batch = min(remaining, self._random.randint(*KILL_EVERY))
            remaining -= batch
            if found := await self._round():
                return found
            _say(f"{self.operations - remaining} operations, {dict(self.kills)}")
        return []

    async def _round(self) -> list[str]:
        """Operations until it is time, a kill in their midst, and what is true after a restart."""
        victim = "database" if self.cluster and self._random.random() < 0.2 else "server"
        delay = self._random.uniform(0, 0.3)
        async with anyio.create_task_group() as group:
            for client in self.clients:
                group.start_soon(self._work, client)
            await eventually(lambda: self.left <= 0, _ROUND)
            await anyio.sleep(delay)
            await self._kill(victim)
            group.cancel_scope.cancel()
        self.kills[victim] += 1
        async with self.server.client() as sac:
            found: list[str] = await problems(self.server, sac, self.clients)
        return found

    async def _work(self, client: Client) -> None:
        """Operations of one client, also while the server is killed."""
        async with self.server.client() as sac:
            while True:
                if await client.step(sac):
                    self.left -= 1
                else:
                    await anyio.sleep(_AWAY)

    async def _kill(self, victim: str) -> None:
        if victim == "database" and self.cluster is not None:
            await anyio.to_thread.run_sync(self.cluster.restart)
        else:
            await self.server.restart()


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main(given: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    args = parser.parse_args(given)
    again = f"nox -s soak -- --seed {args.seed} --operations {args.operations} --database {args.database}"
    _say(f"again: {again}")
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="sac-soak-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = stack.enter_context(running_cluster()) if args.database == "postgres" else None
        server = LiveServer(folder / "data")
        stack.callback(server.end)
        server.env["SAC_RESYNC"] = "2"
        if cluster is not None:
            server.env["SAC_DATABASE"] = cluster.database()
        soak = Soak(server, args.seed, args.operations, cluster)
        found = anyio.run(soak.run)
    _say(f"{sum(soak.done.values())} operations in {time.monotonic() - began:.0f} s: {dict(soak.done)}")
    _say(f"refused: {dict(soak.refused)}; killed: {dict(soak.kills)}")
    for problem in found:
        _say(f"PROBLEM {problem}")
    _say(f"failed; again: {again}" if found else "no orphan, no double body, every answer held")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
