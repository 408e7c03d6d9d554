"""Runs a plugin's call in a task of its own, so that whatever it does to its task is done to that one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio

R = TypeVar("R")

GRACE = 1.0
"""Seconds in which a call that is cancelled ends; one that does not is left to itself."""

AHEAD = 64

_left: set[asyncio.Task[Any]] = set()


class SelfCancelledError(Exception):
    """A call cancelled its own task; nobody else did."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: BaseException | None = None


async def apart(call: Callable[[], Awaitable[R]], deadline: float) -> R:
    """What ``call`` gives or raises; `TimeoutError` after ``deadline`` seconds.

    A caller that is cancelled cancels the call, and waits for it, but not longer than `GRACE`.
    """
    task = asyncio.create_task(_outcome(call))
    try:
        await asyncio.wait({task}, timeout=deadline)
        if not task.done():
            raise TimeoutError
    finally:
        await _ended(task)
    outcome = task.result()
    if outcome.error is not None:
        raise outcome.error
    value: R = outcome.value
    return value


async def _outcome(call: Callable[[], Awaitable[Any]]) -> _Outcome:
    try:
        return _Outcome(await call())
    except asyncio.CancelledError:
        return _Outcome(error=SelfCancelledError())
    except BaseException as error:  # SystemExit that leaves a task would end the event loop
        return _Outcome(error=error)


async def _ended(task: asyncio.Task[Any]) -> None:
    if task.done():
        return
    task.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait({task}, timeout=GRACE)
    if not task.done():
        _left.add(task)
        task.add_done_callback(_left.discard)


async def flowing(make: Callable[[], AsyncIterator[R]]) -> AsyncGenerator[R]:
    """What an iterator gives, which lives in a task of its own; it is at most `AHEAD` items ahead."""
    queue: asyncio.Queue[R | _Outcome] = asyncio.Queue(AHEAD)

    async def pump() -> None:
        async for item in make():
            await queue.put(item)

    async def run() -> None:
        await queue.put(await _outcome(pump))

    task = asyncio.create_task(run())
    try:
        while not isinstance(item := await queue.get(), _Outcome):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        await _ended(task)
