"""A store that fails where a plan says: every call and every await of it, and of all that it gives out, is a point."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from sac_core.contracts.store import Scope, Store, Unit
from sac_core.testing.faults import FaultPlan


def faulty(store: Store, plan: FaultPlan) -> Store:
    """The store, with a point before and after every call, and at both ends of each transaction.

    ``kill`` in a transaction rolls it back, as a crash does; ``deceive`` commits it, and says that it failed.
    """
    return cast(Store, _FaultyStore(store, plan, "store"))


class _Faulty:
    """What has asynchronous methods: each call passes its points. What a plain method gives out is wrapped too."""

    def __init__(self, inner: Any, plan: FaultPlan, name: str) -> None:
        self._inner, self._plan, self._name = inner, plan, name

    def __getattr__(self, attribute: str) -> Any:
        found, name = getattr(self._inner, attribute), f"{self._name}.{attribute}"
        if inspect.iscoroutinefunction(found):
            return self._asynchronous(found, name)
        if inspect.ismethod(found):
            return lambda *args, **options: _Faulty(found(*args, **options), self._plan, name)
        return found

    def _asynchronous(self, method: Callable[..., Awaitable[Any]], name: str) -> Callable[..., Awaitable[Any]]:
        async def passing(*args: Any, **options: Any) -> Any:
            call = self._plan.begin(name)
            await call.reach("before")
            answer = await method(*args, **options)
            await call.reach("after")
            return answer

        return passing


class _FaultyUnit(_Faulty):
    """A unit of work, and the timelines in it."""

    def __init__(self, unit: Unit, plan: FaultPlan) -> None:
        super().__init__(unit, plan, "unit")
        self.causes = _Faulty(unit.causes, plan, "unit.causes")


class _FaultyStore(_Faulty):
    """The store itself."""

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[_FaultyUnit]:
        call = self._plan.begin("store.transaction")
        await call.reach("before")
        async with self._inner.transaction(scope) as unit:
            await call.reach("begun")
            yield _FaultyUnit(unit, self._plan)
            await call.reach("commit")
        await call.reach("after")
