"""Sealing: opens what it sealed for its place, nothing else, under root keys that may change."""

from __future__ import annotations

import os
from dataclasses import replace

import anyio
import pytest

from sac_core.contracts.sealing import DataKeys
from sac_core.contracts.store import Store
from sac_core.errors import ConfigurationError, UnavailableError
from sac_core.store.root_keys import RootKeys, root_id
from sac_core.store.sealing import open_sealing

OLD, NEW = os.urandom(32), os.urandom(32)


def roots(*keys: bytes) -> RootKeys:
    return RootKeys(keys or (OLD,), source="SAC_KEYS")


@pytest.fixture
def keys(store: Store) -> DataKeys:
    return store.data_keys()


async def test_what_was_sealed_opens_after_a_restart(keys: DataKeys) -> None:
    sealed = await (await open_sealing(keys, roots())).seal("default", "Secret/1", b"canary")
    assert b"canary" not in sealed
    assert len(sealed) == len(b"canary") + 33
    assert await (await open_sealing(keys, roots())).unseal("default", "Secret/1", sealed) == b"canary"


async def test_equal_values_look_different(keys: DataKeys) -> None:
    sealing = await open_sealing(keys, roots())
    assert await sealing.seal("default", "Secret/1", b"same") != await sealing.seal("default", "Secret/1", b"same")


@pytest.mark.parametrize(("tenant", "identity"), [("default", "Secret/2"), ("other", "Secret/1")])
async def test_a_moved_value_does_not_open(keys: DataKeys, tenant: str, identity: str) -> None:
    sealing = await open_sealing(keys, roots())
    await sealing.seal("other", "x", b"")  # both tenants have a data key of version 1
    sealed = await sealing.seal("default", "Secret/1", b"canary")
    with pytest.raises(UnavailableError) as caught:
        await sealing.unseal(tenant, identity, sealed)
    assert caught.value.reason == "SealBroken"


async def test_a_changed_byte_is_noticed_wherever_it_is(keys: DataKeys) -> None:
    sealing = await open_sealing(keys, roots())
    sealed = await sealing.seal("default", "Secret/1", b"canary")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(UnavailableError):
            await sealing.unseal("default", "Secret/1", bytes(changed))
    for cut in range(len(sealed)):
        with pytest.raises(UnavailableError):
            await sealing.unseal("default", "Secret/1", sealed[:cut])


async def test_a_data_key_moved_to_another_tenant_does_not_open(keys: DataKeys) -> None:
    mine = await (await open_sealing(keys, roots())).seal("mine", "x", b"canary")
    kept = await keys.newest("mine")
    assert kept is not None
    await keys.add(replace(kept, tenant="theirs"))
    with pytest.raises(UnavailableError):
        await (await open_sealing(keys, roots())).unseal("theirs", "x", mine)


async def test_many_first_seals_at_once_make_one_data_key(keys: DataKeys) -> None:
    one, two = await open_sealing(keys, roots()), await open_sealing(keys, roots())
    sealed: list[bytes] = []

    async def seal(number: int) -> None:
        sealed.append(await (one, two)[number % 2].seal("default", "x", b"canary"))

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(seal, number)
    assert await keys.count() == {root_id(OLD): 1}
    assert {await one.unseal("default", "x", each) for each in sealed} == {b"canary"}


async def test_a_missing_root_key_is_told_with_its_setting(keys: DataKeys) -> None:
    await (await open_sealing(keys, roots())).seal("default", "x", b"canary")
    with pytest.raises(ConfigurationError) as refused:
        await open_sealing(keys, roots(NEW))
    assert (refused.value.field, refused.value.reason) == ("SAC_KEYS", "KeyMissing")
    assert root_id(OLD) in refused.value.message


async def test_a_root_key_that_is_taken_away_closes_what_it_protects(keys: DataKeys) -> None:
    other = await open_sealing(keys, roots(NEW))
    sealed = await (await open_sealing(keys, roots())).seal("default", "x", b"canary")
    with pytest.raises(UnavailableError) as caught:
        await other.unseal("default", "x", sealed)
    assert (caught.value.field, caught.value.reason) == ("SAC_KEYS", "KeyMissing")


async def test_a_data_key_is_kept_wrapped(keys: DataKeys) -> None:
    kept, key = roots().new("default", 1)
    await keys.add(kept)
    stored = await keys.newest("default")
    assert stored is not None
    assert key not in stored.wrapped
    assert roots().unwrap(stored) == key
    assert repr(stored.wrapped) not in repr(stored)


def test_root_keys_show_only_their_ids() -> None:
    shown = repr(roots(NEW, OLD)) + str(vars(roots(NEW, OLD)))
    assert root_id(NEW) in shown
    assert NEW.hex() not in shown
    assert repr(NEW) not in shown


@pytest.mark.parametrize("given", [(), (b"short",)])
def test_root_keys_have_32_bytes(given: tuple[bytes, ...]) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes"):
        RootKeys(given, source="SAC_KEYS")
