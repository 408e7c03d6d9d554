"""Who may bind a secret to an agent, and whose secret a name means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from git_server import GitServer
from sac_core.core import Core, open_core
from sac_core.errors import ForbiddenError, InvalidError, LaunchError
from sac_core.models.principal import Principal
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually

ANN = Principal(kind="user", name="ann", permissions=frozenset({"*"}))
BOB = Principal(kind="user", name="bob", permissions=frozenset({"*"}))


def clone(url: str = "https://git.example.org/p.git") -> dict[str, Any]:
    return {"workspace": {"git": {"url": url, "secret": "token"}}}


USES: list[dict[str, Any]] = [{"name": "token", "env": "TOKEN"}]


@pytest.fixture
async def core(settings: Settings) -> AsyncIterator[Core]:
    async with open_core(settings) as core:
        yield core


async def refused(core: Core, name: str) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        await core.sac(BOB).agents.create("bobs", {"secrets": [{"name": name, "env": "TOKEN"}]})
    return caught.value


async def test_a_secret_of_another_user_is_as_if_it_did_not_exist(core: Core) -> None:
    await core.sac(ANN).secrets.put("token", "canary")
    private, absent = await refused(core, "token"), await refused(core, "nosuch")
    assert str(private) == str(absent).replace("nosuch", "token")
    assert (private.field, private.reason) == ("spec.secrets.0.name", absent.reason)
    await core.sac(BOB).agents.create("bobs")
    with pytest.raises(InvalidError):
        await core.sac(BOB).agents.patch("bobs", {"spec": {"secrets": USES}})
    with pytest.raises(InvalidError):
        await core.sac(BOB).agents.replace_from("bobs", {"spec": {"secrets": USES}})


async def test_a_clone_with_a_secret_of_another_user_is_as_if_it_did_not_exist(core: Core) -> None:
    await core.sac(ANN).secrets.put("token", "canary")
    with pytest.raises(InvalidError) as caught:
        await core.sac(BOB).agents.create("bobs", clone())
    assert (caught.value.field, caught.value.reason) == ("spec.workspace.git.secret", "SecretNotFound")


async def test_who_changes_the_address_of_a_clone_does_not_get_its_password(core: Core, git_server: GitServer) -> None:
    git_server.password = "canary"
    await core.sac(ANN).secrets.put("token", {"username": "ann", "password": "canary"})
    await core.sac(ANN).agents.create("a1", {**clone(git_server.url), "state": "Stopped"})
    await core.sac(BOB).agents.patch("a1", {"spec": {"state": "Running", "workspace": {"git": {"ref": "v1"}}}})
    await core.sac(BOB).agents.wait("a1", timeout=30)
    assert (await core.sac(ANN).exec("a1", ["cat", "README.md"])).stdout == "first\n"
    for git in ({"url": "https://evil.example/p.git"}, {"url": git_server.url.replace("project", "other")}):
        with pytest.raises(InvalidError) as caught:
            await core.sac(BOB).agents.patch("a1", {"spec": {"workspace": {"git": git}}})
        assert caught.value.field == "spec.workspace.git.secret"


async def test_a_clone_needs_the_permission_to_use_its_secret(core: Core) -> None:
    may = Principal(kind="user", name="eve", permissions=frozenset({"secrets:create", "secrets:replace", "agents:*"}))
    await core.sac(may).secrets.put("token", "x")
    with pytest.raises(ForbiddenError, match="secrets:use"):
        await core.sac(may).agents.create("a1", clone())


async def test_a_secret_of_a_clone_that_went_to_another_user_is_not_taken(core: Core, git_server: GitServer) -> None:
    git_server.password = "canary"
    await core.sac(ANN).secrets.put("token", "canary")
    await core.sac(ANN).agents.create("a1", {**clone(git_server.url), "state": "Stopped"})
    await core.sac(ANN).secrets.delete("token")
    await core.sac(BOB).secrets.put("token", {"username": "ann", "password": "canary"})
    await core.sac(ANN).agents.start("a1")
    with pytest.raises(LaunchError) as caught:
        await core.sac(ANN).agents.wait("a1", timeout=20)
    assert caught.value.reason == "SecretNotFound"
    assert not any(given for _, given in git_server.requests)


async def test_use_is_a_permission_of_its_own(core: Core) -> None:
    may = Principal(kind="user", name="eve", permissions=frozenset({"secrets:create", "secrets:replace", "agents:*"}))
    await core.sac(may).secrets.put("mine", "x")
    with pytest.raises(ForbiddenError, match="secrets:use"):
        await core.sac(may).agents.create("a1", {"secrets": [{"name": "mine", "env": "TOKEN"}]})


async def test_who_changes_something_else_keeps_what_was_bound(core: Core) -> None:
    await core.sac(ANN).secrets.put("token", "canary")
    await core.sac(ANN).agents.create("a1", {"secrets": USES})
    await core.sac(ANN).agents.wait("a1", timeout=20)
    await core.sac(BOB).agents.stop("a1")
    await core.sac(BOB).agents.wait("a1", "Stopped", timeout=20)
    await core.sac(BOB).agents.start("a1")
    await core.sac(BOB).agents.wait("a1", timeout=20)
    assert (await core.sac(ANN).exec("a1", ["printenv", "TOKEN"])).stdout == "canary\n"
    with pytest.raises(InvalidError):
        await core.sac(BOB).agents.patch("a1", {"spec": {"secrets": [*USES, {"name": "token", "env": "MINE"}]}})


async def test_a_namesake_of_another_user_is_never_taken(core: Core) -> None:
    await core.sac(ANN).secrets.put("token", "anns")
    await core.sac(ANN).agents.create("a1", {"secrets": USES})
    await core.sac(ANN).agents.wait("a1", timeout=20)
    await core.sac(ANN).secrets.delete("token")
    await core.sac(BOB).secrets.put("token", "bobs")
    with pytest.raises(LaunchError) as caught:
        await core.sac(ANN).exec("a1", ["printenv", "TOKEN"])
    assert caught.value.reason == "SecretNotFound"


async def test_a_change_reaches_files_without_waiting_for_a_comparison(settings: Settings) -> None:
    async with open_core(settings.model_copy(update={"resync": 3600.0})) as core:
        sac = core.sac(ANN)
        await sac.secrets.put("token", "old")
        await sac.agents.create("a1", {"secrets": [{"name": "token", "file": "token"}]})
        await sac.agents.wait("a1", timeout=20)
        await sac.secrets.put("token", "new")

        async def delivered() -> bool:
            return (await sac.exec("a1", ["sh", "-c", 'cat "$SAC_SECRETS_DIR/token"'])).stdout == "new"

        await eventually(delivered)
