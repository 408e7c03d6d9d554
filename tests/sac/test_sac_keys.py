"""The root keys through the one surface, embedded and over HTTP."""

from __future__ import annotations

from sac_core.contracts.sac import Sac
from sac_core.testing.fixtures import eventually


async def test_the_root_key_is_changed_beneath_a_secret_in_use(sac: Sac) -> None:
    await sac.secrets.put("token", "canary")
    await sac.agents.create("a1", {"secrets": [{"name": "token", "env": "TOKEN"}]})
    await sac.agents.wait("a1", timeout=20)
    before = await sac.keys()
    assert (before.waiting, before.done, [root.data_keys for root in before.roots]) == (0, True, [1])
    await sac.rotate_keys()

    async def done() -> bool:
        return (await sac.keys()).done

    await eventually(done)
    after = await sac.keys()
    assert [(root.active, root.given, root.data_keys) for root in after.roots] == [(True, True, 1)]
    assert after.roots[0].id != before.roots[0].id
    assert (await sac.exec("a1", ["printenv", "TOKEN"])).stdout == "canary\n"
