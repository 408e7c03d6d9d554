"""Secrets of several users in one tenant, and what of them is at rest."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from sac_core.core import Core, open_core
from sac_core.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError
from sac_core.models.change import Change, Synced
from sac_core.models.principal import Principal
from sac_core.service.secrets import values_of
from sac_core.service.services import EVERYWHERE
from sac_core.settings import Settings


def user(name: str, *permissions: str) -> Principal:
    return Principal(kind="user", name=name, permissions=frozenset(permissions or {"*"}))


ANN, BOB = user("ann"), user("bob")


@pytest.fixture
async def core(settings: Settings) -> AsyncIterator[Core]:
    async with open_core(settings) as core:
        yield core


async def values(core: Core, name: str) -> tuple[int, dict[str, bytes]]:
    reader = core.services.store.read(EVERYWHERE)
    version, found = await values_of(core.services, reader, await reader.get("Secret", name))
    return version, dict(found)


async def test_a_secret_is_there_for_its_owner_alone(core: Core) -> None:
    anns, bobs = core.sac(ANN).secrets, core.sac(BOB).secrets
    made = await anns.put("token", "canary")
    absent = await refusal(bobs.get("nothing"))
    for attempt in (bobs.get("token"), bobs.delete("token"), bobs.replace_from("token", {"spec": {}})):
        assert (await refusal(attempt)) == absent.replace("nothing", "token")
    assert (await bobs.list()).items == ()
    with pytest.raises(ConflictError):
        await bobs.put("token", "mine")
    assert (await anns.get("token")) == made
    assert await values(core, "token") == (1, {"value": b"canary"})


async def refusal(attempt: object) -> str:
    with pytest.raises(NotFoundError) as caught:
        await attempt  # type: ignore[misc]
    return str(caught.value)


async def test_others_are_not_told_of_it(core: Core) -> None:
    await core.sac(ANN).secrets.put("old", "x")
    seen: list[str] = []
    async with aclosing(core.sac(BOB).watch(kinds=["Secret"])) as changes:  # type: ignore[type-var]
        async for change in changes:
            if isinstance(change, Synced):
                await core.sac(ANN).secrets.put("token", "x")
                await core.sac(BOB).secrets.put("mine", "x")
            elif isinstance(change, Change):
                seen.append(change.object.metadata.name)
                break
    assert seen == ["mine"]


async def test_each_verb_needs_its_permission(core: Core) -> None:
    reader = core.sac(user("eve", "secrets:list", "secrets:get")).secrets
    assert (await reader.list()).items == ()
    with pytest.raises(ForbiddenError, match="secrets:create"):
        await reader.create_from({"metadata": {"name": "a"}, "spec": {"data": {"value": "x"}}})
    with pytest.raises(ForbiddenError, match="secrets:replace"):
        await reader.put("a", "x")
    with pytest.raises(ForbiddenError, match="secrets:delete"):
        await reader.delete("a")


async def test_nothing_of_a_value_is_in_the_database(core: Core, settings: Settings) -> None:
    secrets = core.sac(ANN).secrets
    document = {"metadata": {"name": "token"}, "spec": {"data": {"value": "canary-one"}}}
    await secrets.create_from(document, idempotency_key="k")
    await secrets.put("token", {"a": "canary-two"})
    for path in settings.data_dir.glob("sac.db*"):
        assert b"canary" not in path.read_bytes()


async def test_a_deleted_secret_leaves_no_value(core: Core, settings: Settings) -> None:
    await core.sac(ANN).secrets.put("token", "canary")
    await core.sac(ANN).secrets.put("other", "canary")
    await core.sac(ANN).secrets.delete("token")
    with sqlite3.connect(settings.data_dir / "sac.db") as database:
        assert database.execute("SELECT count(*) FROM secret_values").fetchone() == (1,)
    database.close()


async def test_a_value_moved_to_another_row_does_not_open(core: Core, settings: Settings) -> None:
    await core.sac(ANN).secrets.put("rich", "canary")
    await core.sac(BOB).secrets.put("poor", "nothing")
    rewrite(settings.data_dir / "sac.db", "UPDATE secret_values SET sealed = (SELECT max(sealed) FROM secret_values)")
    opened = [await opens(core, name) for name in ("rich", "poor")]
    assert sorted(opened) == [False, True]  # both rows hold the value of one of them


async def test_an_old_value_put_back_does_not_open(core: Core, settings: Settings) -> None:
    await core.sac(ANN).secrets.put("token", "old")
    database = settings.data_dir / "sac.db"
    rewrite(database, "CREATE TABLE copy AS SELECT sealed FROM secret_values")
    await core.sac(ANN).secrets.put("token", "new")
    rewrite(database, "UPDATE secret_values SET sealed = (SELECT sealed FROM copy)")
    with pytest.raises(UnavailableError):
        await values(core, "token")


async def opens(core: Core, name: str) -> bool:
    try:
        await values(core, name)
    except UnavailableError:
        return False
    return True


def rewrite(path: Path, statement: str) -> None:
    """What somebody who can write the database file does."""
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
