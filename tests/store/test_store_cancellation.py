"""A cancelled unit leaves nothing: no row, no lock, no connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from sac_core.contracts.store import Query, Record, Scope, Store
from sac_core.store import connection
from sac_core.store.settle import settled

Make = Callable[..., Record]


class Trap:
    """Stands before each operation on the writing connection; cancels while the n-th is on its way."""

    def __init__(self, nth: int, cancel: Callable[[], object]) -> None:
        self.left = nth
        self.cancel = cancel

    async def __call__(self, work: Coroutine[Any, Any, Any]) -> Any:
        self.left -= 1
        if self.left == 0:
            asyncio.get_running_loop().call_soon(self.cancel)
        return await settled(work)


async def _write(store: Store, scope: Scope, *records: Record) -> None:
    async with store.transaction(scope) as unit:
        for record in records:
            await unit.insert(record)


async def _cancelled_by_scope(nth: int, patch: pytest.MonkeyPatch, work: Coroutine[Any, Any, None]) -> bool:
    with anyio.CancelScope() as cancellation:
        trap = Trap(nth, cancellation.cancel)
        patch.setattr(connection, "settled", trap)
        await work
    patch.setattr(connection, "settled", settled)
    return trap.left <= 0


async def _cancelled_twice(nth: int, patch: pytest.MonkeyPatch, work: Coroutine[Any, Any, None]) -> bool:
    task = asyncio.ensure_future(work)

    def cancel() -> None:
        task.cancel()
        asyncio.get_running_loop().call_soon(task.cancel)

    trap = Trap(nth, cancel)
    patch.setattr(connection, "settled", trap)
    await asyncio.wait([task])
    patch.setattr(connection, "settled", settled)
    assert task.cancelled() == (trap.left <= 0)
    return trap.left <= 0


@pytest.mark.parametrize("cancelled", [_cancelled_by_scope, _cancelled_twice])
async def test_at_every_operation(
    store: Store, scope: Scope, make: Make, monkeypatch: pytest.MonkeyPatch, cancelled: Any
) -> None:
    await _write(store, scope, make("before"))
    threads = threading.active_count()
    nth = 0
    reached = True
    while reached:
        nth += 1
        pair = {f"x{nth}", f"y{nth}"}
        records = [make(name, labels={"a": "b"}) for name in sorted(pair)]
        reached = await cancelled(nth, monkeypatch, _write(store, scope, *records))
        found = {record.name for record in (await store.read(scope).list("Agent")).items}
        assert pair <= found or not pair & found
        with anyio.fail_after(20):
            await _write(store, scope, make(f"after-{nth}"))
    assert nth > 10
    told = [change.object.name for change in await store.changes(scope, 0)]
    assert sorted(told) == [record.name for record in (await store.read(scope).list("Agent")).items]
    assert await store.wait_changed(0, 0) == await store.version()
    assert threading.active_count() <= threads + 4


async def test_reads(store: Store, scope: Scope, make: Make) -> None:
    """A cancelled read costs its connection at most; the pool goes on, and no thread stays behind."""
    await _write(store, scope, *(make(f"a{number}") for number in range(50)))
    threads = threading.active_count()
    for turns in range(40):
        task = asyncio.ensure_future(store.read(scope).list("Agent", Query(limit=20)))
        for _ in range(turns % 8):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    with anyio.fail_after(20):
        assert len((await store.read(scope).list("Agent")).items) == 50
    with anyio.fail_after(20):
        while threading.active_count() > threads + 4:  # noqa: ASYNC110 - a thread's end tells nobody
            await anyio.sleep(0.01)
