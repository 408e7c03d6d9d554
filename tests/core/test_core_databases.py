"""A server on PostgreSQL: what another server on the same database must have in common with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from postgres_cluster import Cluster
from sac_core.core import Core, open_core
from sac_core.errors import ConfigurationError, UnavailableError
from sac_core.models.placement import Placement
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings
from sac_core.testing.simulated import simulated_plugin
from sac_core.testing.simulated_target import SimulatedTarget
from sac_core.testing.simulated_world import Offers

Serve = Callable[..., AbstractAsyncContextManager[Core]]
KEY = "a" * 43 + "="


@pytest.fixture
def serve(tmp_path: Path, postgres: Cluster) -> Serve:
    """Opens servers on one database, each with a data directory of its own."""
    url = SecretStr(postgres.database())

    @asynccontextmanager
    async def opened(name: str, *, offers: Sequence[tuple[str, object]] = (), **given: object) -> AsyncIterator[Core]:
        common = {"database": url, "keys": SecretStr(KEY), "data_dir": tmp_path / name}
        async with open_core(Settings.model_validate({**common, **given}), plugins=offers) as core:
            yield core

    return opened


async def test_a_server_that_does_not_reach_the_bodies_of_its_default_executor_is_refused(serve: Serve) -> None:
    async with serve("one") as core:
        await core.sac(LOCAL).agents.create("a1")
        await core.sac(LOCAL).agents.wait("a1", timeout=20)
        with pytest.raises(ConfigurationError, match=r"'process' cannot be used: its bodies are at .*/one/") as no:
            async with serve("two"):
                pass
        assert no.value.hint
        await core.sac(LOCAL).agents.delete("a1")
        await core.sac(LOCAL).agents.wait("a1", "absent", timeout=20)
    async with serve("two"):
        pass  # nothing is left where it was: its place is here from now on


async def test_it_serves_what_it_reaches_and_leaves_the_rest_to_others(serve: Serve) -> None:
    simulated = [("simulated", Offers(simulated_plugin(SimulatedTarget())))]
    async with serve("one") as core:
        await core.sac(LOCAL).agents.create("a1")
        await core.sac(LOCAL).agents.wait("a1", timeout=20)
        async with serve("two", default_executor="simulated", offers=simulated) as other:
            failed = other.services.targets.failed[Placement("process")]
            assert "/one/" in failed
            assert "does not reach" in failed
            await other.sac(LOCAL).agents.create("a2")
            await other.sac(LOCAL).agents.wait("a2", timeout=20)
            assert (await other.sac(LOCAL).agents.get("a1")).status.phase == "Running"
        assert (await core.sac(LOCAL).exec("a1", ["echo", "here"])).stdout == "here\n"
        await core.sac(LOCAL).agents.delete("a1")
        await core.sac(LOCAL).agents.wait("a1", "absent", timeout=20)


async def test_servers_with_one_folder_of_bodies_serve_each_others(serve: Serve, tmp_path: Path) -> None:
    async with serve("one") as core:
        await core.sac(LOCAL).agents.create("a1")
        await core.sac(LOCAL).agents.wait("a1", timeout=20)
        shared = {"process": {"folder": str(tmp_path / "one" / "executors" / "process")}}
        async with serve("two", plugins=shared) as other:
            assert (await other.sac(LOCAL).exec("a1", ["echo", "here"])).stdout == "here\n"
        await core.sac(LOCAL).agents.delete("a1")
        await core.sac(LOCAL).agents.wait("a1", "absent", timeout=20)


async def test_a_server_with_another_root_key_is_refused_at_its_start(serve: Serve) -> None:
    async with serve("one"):
        pass
    with pytest.raises(ConfigurationError) as other:
        async with serve("two", keys=SecretStr("b" * 43 + "=")):
            pass
    assert other.value.field == "SAC_KEYS"
    with pytest.raises(ConfigurationError, match="root key") as own:
        async with serve("three", keys=None):
            pass
    assert own.value.field == "SAC_KEYS_FILE"


async def test_a_database_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    url = SecretStr("postgresql://me:canary@127.0.0.1:1/sac")
    with pytest.raises(UnavailableError) as refused:
        async with open_core(Settings(data_dir=tmp_path, database=url)):
            pass
    assert refused.value.field == "SAC_DATABASE"
    assert "canary" not in f"{refused.value} {refused.value.hint}"
