"""Small things that tests of plugins need."""

from __future__ import annotations

import inspect
import os
import random
import shutil
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import anyio

from sac_core.contracts.context import Entry, PluginContext, State, utc_now
from sac_core.errors import ConflictError
from sac_core.models.body import Key

_PORTS: Final = range(20000, 32000)
"""Below those that Linux and macOS give by themselves."""
_WORKERS: Final = 8
_given: set[int] = set()


class MemoryState(State):
    """`State` in memory, as strict as the store's: versions, compare-and-set, expiry by ``now``."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._entries: dict[str, tuple[Entry, datetime | None]] = {}
        self._version = 0

    async def get(self, key: str) -> Entry | None:
        return self._live(key)

    async def put(
        self, key: str, value: dict[str, Any], *, expected: int | None = None, ttl: float | None = None
    ) -> Entry:
        found = self._live(key)
        current = found.version if found else 0
        if expected is not None and expected != current:
            raise ConflictError(f"{key!r} is at version {current}, not {expected}", current=str(current))
        self._version += 1
        entry = Entry(dict(value), self._version)
        self._entries[key] = (entry, None if ttl is None else self._now() + timedelta(seconds=ttl))
        return entry

    async def take(self, key: str) -> Entry | None:
        found = self._live(key)
        self._entries.pop(key, None)
        return found

    async def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    def _live(self, key: str) -> Entry | None:
        entry, expires = self._entries.get(key, (None, None))
        if expires is not None and expires <= self._now():
            del self._entries[key]
            return None
        return entry


@contextmanager
def temporary_context(*, owner: str | None = None, now: Callable[[], datetime] = utc_now) -> Iterator[PluginContext]:
    """A `PluginContext` with a folder that is removed in the end.

    The folder's path is short, so that unix sockets fit in it. ``owner`` is a made-up installation's unless given.
    """
    folder = Path(tempfile.mkdtemp(prefix="sac-"))
    try:
        yield PluginContext(owner=owner or new_owner(), folder=folder, state=MemoryState(now), now=now)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_owner() -> str:
    """An installation's id that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


def new_key(agent: str = "agent", tenant: str = "tenant") -> Key:
    """The key of an agent that no other test uses."""
    return Key(tenant, agent, str(uuid4()))


def unused_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has, given once by this process.

    Who binds it may take its time: it is none of those that the system gives to others meanwhile, and other workers of
    pytest-xdist have ports of their own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "")[2:] or 0) % _WORKERS
    ours = range(_PORTS.start + worker, _PORTS.stop, _WORKERS)
    for port in random.sample(ours, len(ours)):
        if port not in _given and _can_be_bound(port):
            _given.add(port)
            return port
    raise AssertionError("no port is unused")


def _can_be_bound(port: int) -> bool:
    with socket.socket() as listener, suppress(OSError):
        listener.bind(("127.0.0.1", port))
        return True
    return False


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]],
    timeout: float = 20.0,
    *,
    pause: Callable[[], Awaitable[None]] | None = None,
    describe: str = "",
) -> Any:
    """Poll ``condition`` (plain or async) until it is true, and return what it gave.

    Raises AssertionError after ``timeout`` seconds, with the last answer. ``pause`` is awaited between two tries; by
    default 10 ms of real time.
    """
    answer: Any = None
    with anyio.move_on_after(timeout):
        while True:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer
            await (pause() if pause else anyio.sleep(0.01))
    raise AssertionError(f"{describe or 'the condition'} did not come true in {timeout} s; last: {answer!r}")
