"""Stores that break one promise each: records, units of work, lists."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sac_core.contracts.store import ALL_RECORDS, EVERYWHERE, Query, Record, Requirement, Scope
from sac_core.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from sac_core.models.change import Page
from wrapped_store import Through, WrappedStore


class DropsMeta(WrappedStore):
    """Has no column for what has none."""

    class unit(Through):
        async def insert(self, record: Record) -> Record:
            return await self.inner.insert(replace(record, meta={}))  # type: ignore[no-any-return]


class Overwrites(WrappedStore):
    """Takes a name or uid that is taken for one that is to be written again."""

    class unit(Through):
        async def insert(self, record: Record) -> Record:
            try:
                return await self.inner.insert(record)  # type: ignore[no-any-return]
            except ConflictError:
                return record


class KeepsLabels(WrappedStore):
    """Writes labels once."""

    class unit(Through):
        async def update(self, record: Record) -> Record:
            before = await self.inner.by_uid(record.kind, record.uid)
            return await self.inner.update(replace(record, labels=before.labels))  # type: ignore[no-any-return]


class LastWins(WrappedStore):
    """Compares no versions."""

    class unit(Through):
        async def update(self, record: Record) -> Record:
            now = await self.inner.by_uid(record.kind, record.uid)
            return await self.inner.update(replace(record, resource_version=now.resource_version))  # type: ignore[no-any-return]


class TakesAnything(WrappedStore):
    """Refuses nothing that it is given: not another name, not NaN, not half a character."""

    class reader(Through):
        async def get(self, kind: str, name: str) -> Record:
            return await self.inner.get(kind, name.encode(errors="replace").decode())  # type: ignore[no-any-return]

    class unit(Through):
        async def insert(self, record: Record) -> Record:
            spec = {key: None if _is_nan(value) else value for key, value in record.spec.items()}
            return await self.inner.insert(replace(record, spec=spec))  # type: ignore[no-any-return]

        async def update(self, record: Record) -> Record:
            before = await self.inner.by_uid(record.kind, record.uid)
            return await self.inner.update(replace(record, name=before.name))  # type: ignore[no-any-return]


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


class DefersByUpdate(WrappedStore):
    """Has one way to write."""

    class unit(Through):
        async def defer(self, record: Record, deadline: Any) -> None:
            await self.inner.update(replace(record, deadline=deadline))


class RemovesSoftly(WrappedStore):
    """Marks what is removed."""

    class unit(Through):
        async def remove(self, record: Record) -> None:
            await self.inner.update(replace(record, status={"phase": "Removed"}))


class SeesAll(WrappedStore):
    """Looks at no tenant."""

    def read(self, scope: Scope) -> Any:
        return self.inner.read(EVERYWHERE)


class ReadsItsOwn(WrappedStore):
    """Has one scope for a unit."""

    class unit(Through):
        def reading(self, scope: Scope) -> Any:
            return self.inner


class TakesFirst(WrappedStore):
    """Of two of a name, takes one."""

    class reader(Through):
        async def get(self, kind: str, name: str) -> Record:
            try:
                return await self.inner.get(kind, name)  # type: ignore[no-any-return]
            except InvalidError:
                found: Page[Record] = await self.inner.list(kind)
                return next(record for record in found.items if record.name == name)


class CommitsAnyway(WrappedStore):
    """Commits what there is when the block ends, whichever way."""

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Any]:
        failed: BaseException | None = None
        async with self.inner.transaction(scope) as unit:
            try:
                yield unit
            except BaseException as error:
                failed = error
        if failed is not None:
            raise failed


class ReadersWait(WrappedStore):
    """Has one lock for all."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.lock = asyncio.Lock()

    def read(self, scope: Scope) -> Any:
        return _Waiting(self.inner.read(scope), self.lock)

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Any]:
        async with self.lock, self.inner.transaction(scope) as unit:
            yield unit


class _Waiting(Through):
    def __init__(self, inner: Any, lock: asyncio.Lock) -> None:
        super().__init__(inner)
        self.lock = lock

    async def list(self, kind: str, query: Query = ALL_RECORDS) -> Page[Record]:
        async with self.lock:
            return await self.inner.list(kind, query)  # type: ignore[no-any-return]


class KeepsTickets(WrappedStore):
    """Gives out numbers to those who wait, and waits for those who left."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.given = self.served = 0

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Any]:
        ticket, self.given = self.given, self.given + 1
        while self.served != ticket:  # noqa: ASYNC110 - the fault itself
            await asyncio.sleep(0.001)
        try:
            async with self.inner.transaction(scope) as unit:
                yield unit
        finally:
            self.served += 1


class ClosesQuietly(WrappedStore):
    """Is empty once it is closed."""

    class reader(Through):
        async def get(self, kind: str, name: str) -> Record:
            try:
                return await self.inner.get(kind, name)  # type: ignore[no-any-return]
            except UnavailableError:
                raise NotFoundError("nothing is there") from None


class ReadsBeside(WrappedStore):
    """Reads what is committed, also within a unit."""

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Any]:
        async with self.inner.transaction(scope) as unit:
            yield _Beside(unit, self.inner.read(scope))


class _Beside(Through):
    def __init__(self, inner: Any, committed: Any) -> None:
        super().__init__(inner)
        self.by_uid, self.list, self.get = committed.by_uid, committed.list, committed.get


class Lister(Through):
    """Reads lists otherwise."""

    async def list(self, kind: str, query: Query = ALL_RECORDS) -> Page[Record]:
        page: Page[Record] = await self.listed(kind, query)
        return page

    async def listed(self, kind: str, query: Query) -> Any:
        """A page of the wrapped reader."""
        return await self.inner.list(kind, query)


class Backwards(WrappedStore):
    """Lists the newest first."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            page = await super().listed(kind, query)
            return _with(page, page.items[::-1])


def _with(page: Page[Record], items: tuple[Record, ...], **more: Any) -> Page[Record]:
    return replace(page, items=items, **more)


class VersionOfItems(WrappedStore):
    """Takes the newest thing of a list for the list's version."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            page = await super().listed(kind, query)
            return _with(page, page.items, version=max([0, *(item.resource_version for item in page.items)]))


class SkipsOne(WrappedStore):
    """Begins a page one behind where the last one ended."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            page = await super().listed(kind, query)
            return _with(page, page.items[1:]) if query.after else page


class AlwaysMore(WrappedStore):
    """Promises another page whenever one is full."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            page = await super().listed(kind, query)
            full = query.limit and len(page.items) == query.limit
            return _with(page, page.items, next=page.next or ("more" if full else None))


class PagesByNumber(WrappedStore):
    """Counts how many things it has given out."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            begin = int(query.after or 0)
            page = await super().listed(kind, replace(query, limit=0, after=None))
            end = begin + query.limit if query.limit else len(page.items)
            return _with(page, page.items[begin:end], next=str(end) if end < len(page.items) else None)


class Forgives(WrappedStore):
    """Leaves out of a query what it does not understand."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            try:
                return await super().listed(kind, query)
            except InvalidError:
                return await super().listed(kind, ALL_RECORDS)


class NeedsLabel(WrappedStore):
    """Takes what has no label for what has no other one."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            more = tuple(Requirement(term.key, "exists") for term in query.labels if term.operator in ("!=", "notin"))
            return await super().listed(kind, replace(query, labels=query.labels + more))


class FirstTerm(WrappedStore):
    """Looks at one term."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            terms = (query.labels + query.fields)[:1]
            labels = tuple(term for term in query.labels if term in terms)
            return await super().listed(kind, replace(query, labels=labels, fields=() if labels else query.fields))


class PythonsWords(WrappedStore):
    """Writes true with a capital letter."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            fields = tuple(replace(term, values=tuple(map(_capital, term.values))) for term in query.fields)
            return await super().listed(kind, replace(query, fields=fields))


def _capital(word: str) -> str:
    return word.capitalize() if word in ("true", "false") else word


class Splices(WrappedStore):
    """Puts values into the text of its statements."""

    class reader(Lister):
        async def listed(self, kind: str, query: Query) -> Any:
            fields = tuple(term for term in query.fields if not any("'" in value for value in term.values))
            return await super().listed(kind, replace(query, fields=fields))
