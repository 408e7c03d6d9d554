"""Targets through the one surface, embedded and over HTTP, with processes in folders of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from sac_core.models.target import Target
from sac_core.testing.fixtures import eventually

DEADLINE = 30.0


async def settled(sac: Sac, name: str) -> Target:
    async def is_so() -> bool:
        return (await sac.targets.get(name)).status.phase != "Pending"

    await eventually(is_so, DEADLINE)
    return await sac.targets.get(name)


async def test_processes_in_two_folders(sac: Sac, tmp_path: Path) -> None:
    for name in ("one", "two"):
        made = await sac.targets.create(name, "process", {"folder": str(tmp_path / name)}, labels={"n": name})
        assert (made.metadata.namespace, made.status.phase) == ("", "Pending")
        assert (await settled(sac, name)).status.phase == "Ready"
    found = await sac.targets.list(label_selector="n=two", field_selector="spec.executor=process")
    assert [target.metadata.name for target in found.items] == ["two"]
    probe = await sac.targets.test("one")
    assert (probe.reachable, probe.place.endswith(":" + str(tmp_path / "one"))) == (True, True)
    await sac.agents.create("a1", {"executor": {"name": "process", "target": "one"}})
    agent = await sac.agents.wait("a1", timeout=DEADLINE)
    assert [folder.name for folder in (tmp_path / "one" / "bodies").iterdir()] == [agent.metadata.uid]
    assert list((tmp_path / "two" / "bodies").iterdir()) == []
    assert (await sac.exec("a1", ["echo", "here"])).stdout == "here\n"
    with pytest.raises(ConflictError) as refused:
        await sac.targets.delete("one")
    assert refused.value.reason == "InUse"
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=DEADLINE)
    chosen = await sac.targets.set_default("one")
    assert (chosen.name, chosen.target) == ("process", "one")
    await sac.targets.set_default("default", executor="process")
    for name in ("one", "two"):
        await sac.targets.delete(name)
    with pytest.raises(NotFoundError):
        await sac.targets.test("one")


async def test_a_folder_that_is_none_is_said_and_can_be_put_right(sac: Sac, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    await sac.targets.create("one", "process", {"folder": str(tmp_path / "file")})
    assert (await settled(sac, "one")).status.phase == "NotReady"
    with pytest.raises(UnavailableError):
        await sac.targets.test("one")
    version = (await sac.targets.get("one")).metadata.resource_version
    changed = {"spec": {"executor": "process", "settings": {"folder": str(tmp_path / "good")}}}
    with pytest.raises(ConflictError):
        await sac.targets.replace_from("one", changed, resource_version="1")
    await sac.targets.replace_from("one", changed, resource_version=version)
    assert (await sac.targets.test("one")).reachable
    with pytest.raises(InvalidError) as refused:
        await sac.targets.patch("one", {"spec": {"executor": "simulated"}})
    assert refused.value.field == "spec.executor"
    await sac.targets.delete("one")


async def test_a_key_makes_one_target(sac: Sac, tmp_path: Path) -> None:
    settings = {"folder": str(tmp_path / "one")}
    made = [await sac.targets.create("one", "process", settings, idempotency_key="k") for _ in range(2)]
    assert made[0].metadata.uid == made[1].metadata.uid
    await sac.targets.delete("one")
