"""Let an operation on a connection come to its end before a cancellation is obeyed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def settled(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` in a task of its own; when cancelled, wait for its end, then raise the cancellation.

    A statement that is abandoned goes on in the driver's thread and would meet the next one on the same connection.
    Each takes milliseconds, and at most the busy time-out.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _end_of(task)
        raise


async def _end_of(task: asyncio.Future[Any]) -> None:
    # The scope holds off anyio's cancellation, the loop a second one of asyncio's.
    with anyio.CancelScope(shield=True):
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # seen: the cancellation is what the caller gets
