"""Rotation of the root key: everything stays readable, at every moment and after a kill at every step."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from sac_core.contracts.sealing import DataKeys, KeyRotation, Sealing
from sac_core.contracts.store import Store
from sac_core.core.key_file import read_keys, write_keys
from sac_core.core.root_keys import open_keys
from sac_core.errors import NotReadyError
from sac_core.models.keys import KeyStatus
from sac_core.settings import Settings
from sac_core.store import open_sqlite_store
from sac_core.store.root_keys import RootKeys, root_id
from sac_core.testing.fixtures import eventually

TENANTS = [f"tenant-{number}" for number in range(5)]
OLD, NEW = os.urandom(32), os.urandom(32)


@asynccontextmanager
async def opened(folder: Path, **settings: object) -> AsyncIterator[tuple[Store, Sealing, KeyRotation]]:
    given = Settings(data_dir=folder, **settings)  # type: ignore[arg-type]
    async with open_sqlite_store(folder / "sac.db", server_id="s") as store:
        async with open_keys(given, folder, store.data_keys()) as (sealing, rotation):
            yield store, sealing, rotation


async def finished(rotation: KeyRotation) -> KeyStatus:
    async def done() -> KeyStatus | None:
        status = await rotation.status()
        return status if status.done else None

    status = await eventually(done)
    assert isinstance(status, KeyStatus)
    return status


async def seal_all(sealing: Sealing) -> dict[str, bytes]:
    return {tenant: await sealing.seal(tenant, "x", tenant.encode()) for tenant in TENANTS}


async def readable(sealing: Sealing, sealed: dict[str, bytes]) -> bool:
    opens = [await sealing.unseal(tenant, "x", data) == tenant.encode() for tenant, data in sealed.items()]
    return all(opens)


async def test_sac_changes_its_own_root_key(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, sealing, rotation):
        sealed = await seal_all(sealing)
        before = await rotation.status()
        assert [(root.active, root.data_keys) for root in before.roots] == [(True, len(TENANTS))]
        assert before.done
        await rotation.rotate()
        after = await finished(rotation)
        assert [(root.active, root.data_keys) for root in after.roots] == [(True, len(TENANTS))]
        assert after.roots[0].id != before.roots[0].id
        assert await readable(sealing, sealed)
        assert [root_id(key) for key in read_keys(tmp_path / "key")] == [after.roots[0].id]
    async with opened(tmp_path) as (_, sealing, _rotation):
        assert await readable(sealing, sealed)


async def test_an_operators_new_key_is_put_in_use_at_once_and_the_old_one_is_theirs_to_remove(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_keys(path, [OLD])
    async with opened(tmp_path, keys_file=path) as (_, sealing, rotation):
        sealed = await seal_all(sealing)
        with pytest.raises(NotReadyError) as caught:
            await rotation.rotate()
        assert caught.value.field == "SAC_KEYS_FILE"
        write_keys(path, [NEW, OLD])
        await rotation.rotate()
        status = await finished(rotation)
        assert [(root.id, root.data_keys) for root in status.roots] == [(root_id(NEW), 5), (root_id(OLD), 0)]
        assert read_keys(path) == [NEW, OLD]
        write_keys(path, [NEW])
        assert await readable(sealing, sealed)
    async with opened(tmp_path, keys_file=path) as (_, sealing, _rotation):
        assert await readable(sealing, sealed)


async def test_it_begins_by_itself_when_a_new_key_is_first(tmp_path: Path) -> None:
    async with opened(tmp_path, keys=SecretStr(text(OLD))) as (_, sealing, _rotation):
        sealed = await seal_all(sealing)
    async with opened(tmp_path, keys=SecretStr(text(NEW, OLD))) as (_, sealing, rotation):
        assert (await finished(rotation)).waiting == 0
        assert await readable(sealing, sealed)


def text(*keys: bytes) -> str:
    import base64

    return ",".join(base64.b64encode(key).decode() for key in keys)


async def test_one_broken_data_key_does_not_keep_the_others(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, sealing, rotation):
        sealed = await seal_all(sealing)
        await damage(store.data_keys(), TENANTS[0])
        old = (await rotation.status()).roots[0].id
        await rotation.rotate()

        async def stuck() -> str:
            return (await rotation.status()).message

        assert TENANTS[0] in await eventually(stuck)
        status = await rotation.status()
        assert (status.waiting, status.done) == (1, False)
        assert old in [root_id(key) for key in read_keys(tmp_path / "key")]
        assert await readable(sealing, {tenant: sealed[tenant] for tenant in TENANTS[1:]})


async def damage(keys: DataKeys, tenant: str) -> None:
    kept = await keys.newest(tenant)
    assert kept is not None
    assert await keys.replace(kept, replace(kept, wrapped=b"x" * len(kept.wrapped)))


async def test_a_wrapping_that_was_changed_meanwhile_is_not_overwritten(store: Store) -> None:
    roots = RootKeys([NEW, OLD], source="SAC_KEYS")
    old, _ = RootKeys([OLD], source="SAC_KEYS").new("default", 1)
    keys = store.data_keys()
    await keys.add(old)
    assert await keys.replace(old, roots.rewrapped(old))
    assert not await keys.replace(old, roots.rewrapped(old))


CHILD = """
import os, signal, sys
from pathlib import Path
import anyio
from test_store_rotation import finished, opened
from sac_core.core import key_file
from sac_core.store.data_keys import SqlDataKeys

left = int(sys.argv[2])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def around(owner, name):
    real = getattr(owner, name)
    def call(*args, **kwargs):
        step()
        result = real(*args, **kwargs)
        step()
        return result
    setattr(owner, name, call)

async def replaced(self, old, new, real=SqlDataKeys.replace):
    step()
    result = await real(self, old, new)
    step()
    return result

async def main():
    async with opened(Path(sys.argv[1])) as (_, _, rotation):
        around(key_file.os, "open")
        around(key_file.os, "fsync")
        around(Path, "replace")
        SqlDataKeys.replace = replaced
        await rotation.rotate()
        await finished(rotation)

anyio.run(main)
"""


async def test_a_kill_at_any_step_leaves_everything_readable(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    async with opened(prepared) as (_, sealing, _rotation):
        sealed = await seal_all(sealing)
    step, killed = 0, True
    while killed:
        step += 1
        folder = tmp_path / f"step-{step}"
        shutil.copytree(prepared, folder)
        killed = rotate_and_die(folder, step)
        async with opened(folder) as (_, sealing, rotation):
            assert await readable(sealing, sealed), f"not readable after a kill at step {step}"
            status = await finished(rotation)
            assert [root.data_keys for root in status.roots] == [len(TENANTS)]
            assert await readable(sealing, sealed), f"not readable after a kill at step {step} and the rest"
            assert len(read_keys(folder / "key")) == 1
    assert step > 2 * len(TENANTS) + 8  # each data key and each change of the file was interrupted before and after


def rotate_and_die(folder: Path, step: int) -> bool:
    """Rotate in a process that kills itself at a step; whether it got so far."""
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(step)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


async def test_a_root_key_that_is_in_use_cannot_be_taken_away_by_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_keys(path, [OLD])
    async with opened(tmp_path, keys_file=path) as (_, sealing, rotation):
        await seal_all(sealing)
        write_keys(path, [NEW])
        await rotation.rotate()

        async def stuck() -> str:
            return (await rotation.status()).message

        assert root_id(OLD) in await eventually(stuck)
        status = await rotation.status()
        assert [(root.id, root.given) for root in status.roots] == [(root_id(NEW), True), (root_id(OLD), False)]
