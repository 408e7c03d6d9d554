"""Stores that break one promise each: changes, state, timelines, and the bytes beside records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sac_core.contracts.chunks import StoredChunk
from sac_core.contracts.context import Entry
from sac_core.contracts.sealing import DataKey
from sac_core.contracts.store import EVERYWHERE, Record, Scope, SealedValue
from sac_core.errors import ConflictError, ExpiredError, NotFoundError
from sac_core.models.cause import Cause, Timeline
from sac_core.testing.fixtures import MemoryState
from wrapped_store import Through, WrappedStore


class TellsLast(WrappedStore):
    """Tells of each thing what it is by now."""

    async def changes(self, scope: Scope, since: int, **more: Any) -> Any:
        found = await self.inner.changes(scope, since, **more)
        return list({change.object.uid: change for change in found}.values())


class TellsNewest(WrappedStore):
    """Gives the newest where there are too many."""

    async def changes(self, scope: Scope, since: int, *, limit: int = 500, **more: Any) -> Any:
        return (await self.inner.changes(scope, since, **more))[-limit:]


class TellsAllKinds(WrappedStore):
    """Looks at no kind."""

    async def changes(self, scope: Scope, since: int, *, kinds: Sequence[str] = (), **more: Any) -> Any:
        return await self.inner.changes(scope, since, **more)


class NeverExpires(WrappedStore):
    """Has nothing to tell of what it forgot."""

    async def changes(self, scope: Scope, since: int, **more: Any) -> Any:
        try:
            return await self.inner.changes(scope, since, **more)
        except ExpiredError:
            return []


class WakesLate(WrappedStore):
    """Looks when the time is over."""

    async def wait_changed(self, since: int, timeout: float) -> int:
        await asyncio.sleep(timeout)
        return await self.inner.version()  # type: ignore[no-any-return]


class NeverWaits(WrappedStore):
    """Answers at once."""

    async def wait_changed(self, since: int, timeout: float) -> int:
        await asyncio.sleep(0)
        return await self.inner.version()  # type: ignore[no-any-return]


class LosesSome(WrappedStore):
    """Misses what is committed behind what it has told."""

    async def changes(self, scope: Scope, since: int, **more: Any) -> Any:
        return [change for change in await self.inner.changes(scope, since, **more) if change.version % 7]


class StateOf(WrappedStore):
    """Gives out another state."""

    kind: type[Through] = Through

    def state(self, plugin: str) -> Any:
        return self.kind(self.inner.state(plugin))


class DeletesOnce(StateOf):
    """Cannot delete what is not there."""

    class kind(Through):
        async def delete(self, key: str) -> None:
            if await self.inner.get(key) is None:
                raise NotFoundError("there is none")
            await self.inner.delete(key)


class SharesState(WrappedStore):
    """Has one state for all."""

    def state(self, plugin: str) -> Any:
        return self.inner.state("all")


class PutsAlways(StateOf):
    """Compares nothing."""

    class kind(Through):
        async def put(self, key: str, value: Any, *, expected: int | None = None, ttl: float | None = None) -> Entry:
            return await self.inner.put(key, value, ttl=ttl)  # type: ignore[no-any-return]


class _Recounting(MemoryState):
    async def delete(self, key: str) -> None:
        await super().delete(key)
        self._version = 0


class CountsAgain(WrappedStore):
    """Begins with version 1 again, and keeps all in memory."""

    def state(self, plugin: str) -> Any:
        return self.__dict__.setdefault(f"state {plugin}", _Recounting())


class KeepsState(StateOf):
    """Knows no time."""

    class kind(Through):
        async def put(self, key: str, value: Any, *, expected: int | None = None, ttl: float | None = None) -> Entry:
            return await self.inner.put(key, value, expected=expected)  # type: ignore[no-any-return]


class TakesInSteps(StateOf):
    """Reads, then removes."""

    class kind(Through):
        async def take(self, key: str) -> Entry | None:
            entry: Entry | None = await self.inner.get(key)
            await asyncio.sleep(0.01)
            await self.inner.delete(key)
            return entry


class Teller(WrappedStore):
    """Writes other causes."""

    writer: type[Through] = Through

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Any]:
        async with self.inner.transaction(scope) as unit:
            passed = Through(unit)
            passed.causes = self.writer(unit.causes)  # type: ignore[attr-defined]
            yield passed


class ForgetsWhy(Teller):
    """Keeps no cause of a cause."""

    class writer(Through):
        async def add(self, about: Any, key: str, cause: Cause) -> None:
            await self.inner.add(about, key, cause.model_copy(update={"because": None}))


class CountsInPlace(Teller):
    """Counts what happens again where it happened first."""

    class writer(Through):
        async def recount(self, uid: str, cause: Cause) -> None:
            await self.inner.recount(uid, cause.model_copy(update={"last_at": cause.at.replace(year=2020)}))


class ForgetsNothing(Teller):
    """Keeps causes for ever."""

    class writer(Through):
        async def forget(self, uid: str, seqs: list[int]) -> None:
            return

    async def prune(self, *, keep: int, causes_since: Any = None) -> None:
        await self.inner.prune(keep=keep)


class FirstOfName(WrappedStore):
    """Finds the first agent that ever had a name."""

    class cause_reader(Through):
        async def timeline(self, name: str) -> Timeline:
            return await self.inner.timeline("uid-1" if name == "a1" else name)  # type: ignore[no-any-return]

        async def newest_key(self, uid: str, prefix: str) -> str | None:
            return await self.inner.newest_key(uid, prefix.rstrip("%"))  # type: ignore[no-any-return]


class TellsEveryone(WrappedStore):
    """Shows timelines of all tenants."""

    def causes(self, scope: Scope) -> Any:
        return self.inner.causes(EVERYWHERE)


class KeepsFirstValue(WrappedStore):
    """Writes a value once."""

    class unit(Through):
        async def keep_sealed(self, record: Record, value: SealedValue) -> None:
            try:
                await self.inner.sealed(record)
            except NotFoundError:
                await self.inner.keep_sealed(record, value)


class TellsValue(WrappedStore):
    """Keeps a value in the record itself, where everybody is told of it."""

    class unit(Through):
        async def keep_sealed(self, record: Record, value: SealedValue) -> None:
            await self.inner.keep_sealed(record, value)
            now = await self.inner.by_uid(record.kind, record.uid)
            now.status["value"] = value.sealed.decode("latin-1")
            await self.inner.update(now)


class AddsKeysAgain(WrappedStore):
    """Takes a key that is there for the one that is to be added, and a lost race for a won one."""

    class keys(Through):
        async def add(self, key: DataKey) -> None:
            try:
                await self.inner.add(key)
            except ConflictError:
                return

        async def replace(self, old: DataKey, new: DataKey) -> bool:
            await self.inner.replace(old, new)
            return True


class ChunksBackwards(WrappedStore):
    """Gives the newest chunks first."""

    class kept_chunks(Through):
        async def after(self, recording: str, number: int, *, limit: int) -> list[StoredChunk]:
            return (await self.inner.after(recording, number, limit=limit))[::-1]  # type: ignore[no-any-return]


class TwoRecorders(WrappedStore):
    """Tells nobody that a number was taken."""

    class kept_chunks(Through):
        async def add(self, chunks: Sequence[StoredChunk]) -> frozenset[str]:
            await self.inner.add(chunks)
            return frozenset()
