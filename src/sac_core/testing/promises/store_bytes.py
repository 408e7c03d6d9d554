"""Stores: the bytes beside records: values of secrets, wrapped data keys, chunks of recordings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sac_core.contracts.chunks import StoredChunk
from sac_core.contracts.sealing import DataKey
from sac_core.contracts.store import Record, SealedValue, Store
from sac_core.errors import ConflictError, NotFoundError
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stores import MINE, StoreBase, insert, make

BYTES = bytes(range(256))


def chunk(recording: str, number: int, **more: object) -> StoredChunk:
    """A chunk of ten bytes."""
    given = {"offset": number * 10, "missed": 0, "micros": number, "last": False, "digest": f"d{number}", "data": BYTES}
    return StoredChunk(recording, number, **{**given, **more})  # type: ignore[arg-type]


async def half_kept(store: Store, record: Record) -> None:
    """A unit that keeps a value, and then fails."""
    async with store.transaction(MINE) as unit:
        await unit.keep_sealed(record, SealedValue(1, b"lost"))
        await unit.insert(make("s1", kind="Secret"))


class Bytes(StoreBase):
    @promise("secrets")
    async def test_a_value_is_kept_beside_its_record_and_goes_with_it(self, store: Store) -> None:
        [record] = await insert(store, MINE, make("s1", kind="Secret"))
        with pytest.raises(NotFoundError):
            await store.read(MINE).sealed(record)
        for version in (1, 2):
            async with store.transaction(MINE) as unit:
                await unit.keep_sealed(record, SealedValue(version, BYTES * version))
                assert await unit.sealed(record) == SealedValue(version, BYTES * version)
        assert await store.read(MINE).sealed(record) == SealedValue(2, BYTES * 2)
        async with store.transaction(MINE) as unit:
            await unit.remove(record)
        with pytest.raises(NotFoundError):
            await store.read(MINE).sealed(record)

    @promise("secrets")
    async def test_a_value_is_in_no_change_and_lost_with_its_unit(self, store: Store) -> None:
        [record] = await insert(store, MINE, make("s1", kind="Secret"))
        with pytest.raises(ConflictError):
            await half_kept(store, record)
        with pytest.raises(NotFoundError):
            await store.read(MINE).sealed(record)
        async with store.transaction(MINE) as unit:
            await unit.keep_sealed(record, SealedValue(1, b"canary"))
        assert await store.version() == 1, "a value is told as a change"
        assert "canary" not in repr(await store.changes(MINE, 0))

    @promise("secrets")
    async def test_data_keys_are_kept_once_and_found_by_what_wrapped_them(self, store: Store) -> None:
        keys = store.data_keys()
        assert (await keys.newest("a"), await keys.get("a", 1)) == (None, None)
        given = [DataKey("a", 1, "old", b"1"), DataKey("a", 2, "old", b"2"), DataKey("b", 1, "new", b"3")]
        for key in given:
            await keys.add(key)
        with pytest.raises(ConflictError):
            await keys.add(replace(given[0], wrapped=b"other"))
        assert (await keys.newest("a"), await keys.get("a", 1)) == (given[1], given[0])
        assert dict(await keys.count()) == {"old": 2, "new": 1}
        assert await keys.not_under("new", after=("", 0), limit=1) == given[:1]
        assert await keys.not_under("new", after=("a", 1), limit=5) == given[1:2]

    @promise("secrets")
    async def test_a_data_key_is_wrapped_again_by_one_of_two(self, store: Store) -> None:
        keys, old = store.data_keys(), DataKey("a", 1, "old", b"1")
        await keys.add(old)
        new = replace(old, root="new", wrapped=b"2")
        assert await keys.replace(old, new)
        assert not await keys.replace(old, replace(old, root="newest", wrapped=b"3")), "a lost race is told as won"
        assert await keys.get("a", 1) == new

    @promise("recordings")
    async def test_chunks_come_back_in_order(self, store: Store) -> None:
        chunks = store.chunks()
        assert await chunks.newest("r1") is None
        given = [chunk("r1", 1), chunk("r1", 2, missed=7), chunk("r1", 3, last=True, data=b"")]
        for each in given:
            assert await chunks.add([each, chunk("r2", each.number)]) == frozenset()
        assert await chunks.newest("r1") == given[2]
        assert await chunks.after("r1", 0, limit=2) == given[:2]
        assert await chunks.after("r1", 2, limit=9) == given[2:]
        await chunks.remove("r1")
        await chunks.remove("r1")
        assert await chunks.newest("r1") is None
        assert len(await chunks.after("r2", 0, limit=9)) == 3, "another recording's chunks went too"

    @promise("recordings")
    async def test_of_two_that_record_one_session_one_goes_on(self, store: Store) -> None:
        chunks = store.chunks()
        await chunks.add([chunk("r1", 1)])
        assert await chunks.add([chunk("r1", 1, data=b"second"), chunk("r2", 1)]) == {"r1"}
        assert (await chunks.after("r1", 0, limit=9))[0].data == BYTES, "a chunk that was kept was written over"
        assert await chunks.newest("r2") is not None, "a recording without a rival was refused with another"
