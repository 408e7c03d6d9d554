"""Clients of a soak: each has agents of its own, does random things with them, and knows what must be true of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sac_core.client.surface import HttpSac
from sac_core.errors import DeadlineError, SacError, UnavailableError
from sac_core.models.agent import Agent
from soak_bodies import COMMAND, variables

WEIGHTS = {
    "create": 8, "delete": 4, "stop": 4, "start": 4, "update": 2, "restart": 1, "open": 5, "close": 3, "exec": 2,
}  # fmt: skip
"""How often each operation comes."""
_TARGETS = {"create": "Running", "start": "Running", "restart": "Running", "stop": "Stopped", "delete": "absent"}
_WAITS = 0.25
"""How often a client waits for what it has asked for; else it may change its mind before that is there."""
_PATIENCE = 3.0
_AWAY = "Unavailable"
"""The reason of what never reached a server."""


@dataclass
class Client:
    """Operations in an order that its seed gives. ``allowed`` is what each agent may be, by all that was answered."""

    number: int
    seed: int
    folder: Path
    agents: int = 3
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    allowed: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}/{self.number}")
        self._sessions: list[str] = []
        self.allowed = {f"c{self.number}a{number}": {"absent"} for number in range(self.agents)}

    async def step(self, sac: HttpSac) -> bool:
        """One operation; whether there was a server to answer it, also with a refusal."""
        name = self._random.choice(sorted(self.allowed))
        operation = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        waits = self._random.random() < _WAITS
        target = _TARGETS.get(operation)
        before = self.allowed[name]
        self.allowed[name] = before | ({target} if target else set())  # so it stays when nobody answers
        try:
            answer = await getattr(self, f"_{operation}")(sac, name)
            going = isinstance(answer, Agent) and answer.metadata.deletion_timestamp is not None
            self.allowed[name] = {target} if target and not going else before
        except UnavailableError as error:
            if error.reason == _AWAY:
                return False
            self.refused[error.reason] += 1
        except SacError as error:
            self.allowed[name] = before
            self.refused[error.reason] += 1
        self.done[operation] += 1
        if waits and len(self.allowed[name]) == 1:
            await self._wait(sac, name, *self.allowed[name])
        return True

    async def _wait(self, sac: HttpSac, name: str, phase: str) -> None:
        """Let what was asked for happen, most often."""
        try:
            await sac.agents.wait(name, phase, timeout=_PATIENCE)  # type: ignore[call-overload]
        except DeadlineError:
            self.refused["late"] += 1
        except SacError as error:
            self.refused[f"waiting: {error.reason}"] += 1

    async def _create(self, sac: HttpSac, name: str) -> None:
        await sac.agents.create(name, {"command": COMMAND, "env": variables(self.folder, name)})

    async def _delete(self, sac: HttpSac, name: str) -> None:
        await sac.agents.delete(name)

    async def _stop(self, sac: HttpSac, name: str) -> Agent:
        return await sac.agents.stop(name)

    async def _start(self, sac: HttpSac, name: str) -> Agent:
        return await sac.agents.start(name)

    async def _restart(self, sac: HttpSac, name: str) -> Agent:
        return await sac.agents.restart(name)

    async def _update(self, sac: HttpSac, name: str) -> None:
        """Another launch: the body is replaced."""
        await sac.agents.patch(name, {"spec": {"command": [*COMMAND, str(self._random.random())]}})

    async def _open(self, sac: HttpSac, name: str) -> None:
        session = await sac.sessions.create(name, command=["cat"])
        self._sessions.append(session.metadata.name)

    async def _close(self, sac: HttpSac, name: str) -> None:
        if self._sessions:
            await sac.sessions.delete(self._sessions.pop(self._random.randrange(len(self._sessions))))

    async def _exec(self, sac: HttpSac, name: str) -> None:
        result = await sac.exec(name, ["echo", name])
        ended = result.code is None and result.signal is not None  # with its body, which was asked to stop before
        assert ended or result.stdout == f"{name}\n", result


def clients(seed: int, folder: Path, count: int = 4) -> list[Client]:
    """The clients of a soak."""
    return [Client(number, seed, folder) for number in range(count)]


def untrue(client: Client, phases: Mapping[str, str]) -> Iterator[str]:
    """What was answered and does not hold."""
    for name, allowed in client.allowed.items():
        phase = phases.get(name, "absent")
        if phase not in allowed:
            yield f"{name} is {phase}, and was answered to be {' or '.join(sorted(allowed))}"
