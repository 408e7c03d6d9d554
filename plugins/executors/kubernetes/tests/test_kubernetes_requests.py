"""How often the cluster is asked: a creation costs few requests, an agent at rest none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counted_calls import Counted, counted_calls
from kubernetes_cluster import TestCluster
from kubernetes_sac import deleted, server
from sac_core.contracts.sac import Sac
from sac_core.testing.fixtures import eventually
from sac_executor_kubernetes.looks import Found, Looks
from sac_executor_kubernetes.workloads import Workloads

MOST = 8
"""Requests of one creation until the agent runs, its exec among them; the watches are all agents' together."""
COMPARISONS = 4


@pytest.fixture
def counted() -> Iterator[Counted]:
    with counted_calls() as counted:
        yield counted


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bodies each comparison with the cluster saw."""
    seen: list[int] = []
    at_all = Looks.at_all

    async def look(self: Looks) -> Any:
        found = await at_all(self)
        seen.append(len(found[0]))
        return found

    monkeypatch.setattr(Looks, "at_all", look)
    return seen


async def settled(compared: list[int], bodies: int, times: int = 2) -> None:
    """So many more comparisons have seen so many bodies."""
    compared.clear()
    await eventually(lambda: compared[-times:] == [bodies] * times, 60)


async def running(sac: Sac, name: str, **spec: object) -> str:
    agent = await sac.agents.create(name, {"executor": "kubernetes", **spec})
    await sac.agents.wait(name, timeout=90)
    return agent.metadata.uid


async def test_a_creation_costs_few_requests_and_rest_none(
    tmp_path: Path, cluster: TestCluster, counted: Counted, compared: list[int], storage_class: str
) -> None:
    async with server(tmp_path / "data", cluster, storage_class=storage_class) as sac:
        await settled(compared, 0)
        counted.taken()
        uid = await running(sac, "box", options={"storage": 64 << 20})
        calls = counted.taken()
        assert len(calls) <= MOST, calls

        await settled(compared, 1)
        counted.taken()
        await settled(compared, 1, COMPARISONS)
        assert counted.taken() == []
        await deleted(sac, cluster, uid)


async def test_files_of_secrets_cost_one_more_exec(tmp_path: Path, cluster: TestCluster, counted: Counted) -> None:
    async with server(tmp_path / "data", cluster) as sac:
        await sac.secrets.put("token", "hidden")
        counted.taken()
        uid = await running(sac, "box", secrets=[{"name": "token", "file": "token"}])
        calls = counted.taken()
        assert len(calls) <= MOST + 2, calls
        assert sum(call.startswith("EXEC") for call in calls) == 2
        await deleted(sac, cluster, uid)


async def test_an_end_is_waited_for_without_asking(tmp_path: Path, cluster: TestCluster, counted: Counted) -> None:
    async with server(tmp_path / "data", cluster) as sac:
        uid = await running(sac, "box")
        counted.taken()
        await deleted(sac, cluster, uid)
        calls = counted.taken()
        assert len(calls) <= 2 * MOST, calls


async def test_a_decision_reads_what_there_is_now(
    tmp_path: Path, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ended is said to have ended only after a look at the cluster itself."""
    looked: list[str] = []
    of = Workloads.of

    async def look(self: Workloads, key: Any) -> Found:
        looked.append(key.uid)
        return await of(self, key)

    monkeypatch.setattr(Workloads, "of", look)
    async with server(tmp_path / "data", cluster) as sac:
        uid = await running(sac, "box")
        (first,) = cluster.found("deployments", f"sac/uid={uid}")
        looked.clear()
        cluster.kubectl("delete", "deployment", f"sac-{uid}", "--wait=false")

        async def again() -> bool:
            made = [each["metadata"]["uid"] for each in cluster.found("deployments", f"sac/uid={uid}")]
            another = made not in ([], [first["metadata"]["uid"]])
            return another and (await sac.agents.get("box")).status.phase == "Running"

        await eventually(again, 90)
        assert uid in looked
        await deleted(sac, cluster, uid)
