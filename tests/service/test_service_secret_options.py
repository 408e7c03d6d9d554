"""An executor's option that refers to a secret: the executor is given the value, and nobody else is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sac_core.contracts.context import PluginContext
from sac_core.core import Core, open_core
from sac_core.errors import InvalidError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.base import Model
from sac_core.models.body import Key, Observed
from sac_core.models.launch import Launch, Secrets
from sac_core.models.principal import LOCAL, Principal
from sac_core.models.secret_ref import SecretRef
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget

BOB = Principal(kind="user", name="bob", permissions=frozenset({"*"}))
CANARY = "canary-4f6b20"


class VaultOptions(Model):
    api_key: SecretRef | None = None
    color: str = "red"


class Vault(SimulatedExecutor):
    """Notes what it was given."""

    given: list[dict[str, str]]

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        self.given.append(secrets.options)
        return await super().ensure(key, launch, secrets)


class Offers:
    def __init__(self) -> None:
        self.given: list[dict[str, str]] = []
        self.target = SimulatedTarget()

    @hookimpl
    def sac_executors(self) -> list[ExecutorPlugin]:
        return [ExecutorPlugin(name="vault", summary="Notes", open=self._open, options=VaultOptions)]

    @asynccontextmanager
    async def _open(self, settings: Any, context: PluginContext) -> AsyncIterator[Vault]:
        vault = Vault(self.target, context.owner)
        vault.given = self.given
        yield vault


@pytest.fixture
def offers() -> Offers:
    return Offers()


@pytest.fixture
async def core(settings: Settings, offers: Offers) -> AsyncIterator[Core]:
    async with open_core(settings, plugins=[("vault", offers)]) as core:
        yield core


def spec(**options: str) -> dict[str, Any]:
    return {"executor": "vault", "options": options}


async def test_the_executor_is_given_the_value_and_a_new_one_too(core: Core, offers: Offers) -> None:
    sac = core.sac(LOCAL)
    await sac.secrets.put("vendor", CANARY)
    await sac.agents.create("a1", spec(apiKey="vendor", color="blue"))
    agent = await sac.agents.wait("a1", timeout=15)
    assert offers.given[-1] == {"apiKey": CANARY}
    assert agent.spec.options == {"apiKey": "vendor", "color": "blue"}
    [body] = offers.target.bodies(agent.metadata.uid)
    assert body.launch.template.options == {"apiKey": "vendor", "color": "blue"}
    seen = agent.model_dump_json() + (await sac.agents.timeline("a1")).model_dump_json() + repr(body.launch)
    assert CANARY not in seen
    await sac.secrets.put("vendor", "renewed")

    async def renewed() -> bool:
        return offers.given[-1] == {"apiKey": "renewed"}

    await eventually(renewed)
    assert list(offers.target.bodies(agent.metadata.uid)) == [body], "a new value made a new body"


async def test_one_of_several_values_is_named_by_its_key(core: Core, offers: Offers) -> None:
    sac = core.sac(LOCAL)
    await sac.secrets.put("vendor", {"user": "ann", "password": CANARY})
    with pytest.raises(InvalidError) as refused:
        await sac.agents.create("a1", spec(apiKey="vendor"))
    assert refused.value.field == "spec.options.apiKey"
    await sac.agents.create("a1", spec(apiKey="vendor/password"))
    await sac.agents.wait("a1", timeout=15)
    assert offers.given[-1] == {"apiKey": CANARY}


async def test_a_secret_of_another_user_is_as_if_it_did_not_exist(core: Core) -> None:
    await core.sac(LOCAL).secrets.put("vendor", CANARY)
    messages = []
    for name in ("vendor", "nosuch"):
        with pytest.raises(InvalidError) as refused:
            await core.sac(BOB).agents.create("bobs", spec(apiKey=name))
        messages.append(str(refused.value).replace("nosuch", "vendor"))
        assert (refused.value.field, refused.value.reason) == ("spec.options.apiKey", "SecretNotFound")
    assert messages[0] == messages[1]
