"""Options of a runtime: a secret comes as the variable that it names, a program that it needs is looked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sac_core.builtin.shell import ShellRuntime
from sac_core.core import Core, open_core
from sac_core.errors import InvalidError, LaunchError, UnavailableError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin
from sac_core.models.agent import Agent
from sac_core.models.base import Model
from sac_core.models.principal import LOCAL, Principal
from sac_core.models.secret_ref import SecretRef
from sac_core.settings import Settings

BOB = Principal(kind="user", name="bob", permissions=frozenset({"*"}))


class PoetOptions(Model):
    token: SecretRef | None = None
    nameless: SecretRef | None = None
    pen: str = "sh"


class Poet(ShellRuntime):
    def programs(self, agent: Agent) -> dict[str, str]:
        return {agent.spec.runtime_options.get("pen", "sh"): "buy one"}

    def variables(self, agent: Agent) -> dict[str, str]:
        return {"token": "POET_TOKEN"}


class Offers:
    @hookimpl
    def sac_runtimes(self) -> list[RuntimePlugin]:
        return [RuntimePlugin(name="poet", summary="Writes", make=Poet, options=PoetOptions)]


@pytest.fixture
async def core(settings: Settings) -> AsyncIterator[Core]:
    async with open_core(settings, plugins=[("poet", Offers())]) as core:
        yield core


def spec(**options: str) -> dict[str, Any]:
    return {"runtime": "poet", "runtimeOptions": options}


async def test_a_secret_comes_as_the_variable_of_the_runtime(core: Core) -> None:
    sac = core.sac(LOCAL)
    await sac.secrets.put("verse", {"a": "first", "b": "second"})
    await sac.agents.create("a1", spec(token="verse/b"))
    await sac.agents.wait("a1", timeout=15)
    assert (await sac.exec("a1", ["printenv", "POET_TOKEN"])).stdout == "second\n"
    found = (await sac.agents.get("a1")).status.conditions
    assert ("ProgramsFound", "True") in {(one.type, one.status) for one in found}


async def test_the_reference_stays_its_owners_when_another_changes_the_rest(core: Core) -> None:
    sac, bob = core.sac(LOCAL), core.sac(BOB)
    await sac.secrets.put("verse", "first")
    await sac.agents.create("a1", spec(token="verse"))
    await bob.agents.patch("a1", {"metadata": {"labels": {"seen": "yes"}}, "spec": {"env": {"A": "b"}}})
    await sac.agents.wait("a1", timeout=15)
    assert (await sac.exec("a1", ["printenv", "POET_TOKEN"])).stdout == "first\n"
    with pytest.raises(InvalidError) as refused:
        await bob.agents.create("a2", spec(token="verse"))
    assert (refused.value.field, refused.value.reason) == ("spec.runtimeOptions.token", "SecretNotFound")


async def test_a_program_that_is_not_there_fails_the_agent_with_the_advice(core: Core) -> None:
    sac = core.sac(LOCAL)
    await sac.agents.create("a1", spec(pen="no-such-pen"))
    with pytest.raises(LaunchError, match=r"there is no program 'no-such-pen' in the agent.*buy one") as failed:
        await sac.agents.wait("a1", timeout=15)
    assert failed.value.reason == "Unsupported"


async def test_options_that_a_runtime_does_not_have_are_refused(core: Core) -> None:
    for runtime in ("poet", "shell"):
        with pytest.raises(InvalidError) as refused:
            await core.sac(LOCAL).agents.create("a1", {"runtime": runtime, "runtimeOptions": {"ink": "blue"}})
        assert refused.value.field == "spec.runtimeOptions.ink"


async def test_a_runtime_that_forgets_a_variable_is_said_to_be_at_fault(core: Core) -> None:
    sac = core.sac(LOCAL)
    await sac.secrets.put("verse", "first")
    with pytest.raises(UnavailableError, match="runtime 'poet': variables raised KeyError"):
        await sac.agents.create("a1", spec(nameless="verse"))
