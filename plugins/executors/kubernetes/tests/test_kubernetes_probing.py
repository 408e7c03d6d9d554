"""What an operator is told of a cluster: clocks that differ, and an account that may do too little or too much."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubernetes_cluster import TestCluster
from sac_core.models.body import Finding
from sac_core.testing.fixtures import temporary_context
from sac_executor_kubernetes.opening import open_kubernetes
from sac_executor_kubernetes.probing import clock, excess
from sac_executor_kubernetes.rights import NEEDED
from sac_executor_kubernetes.settings import KubernetesSettings


def rule(group: str, resource: str, *verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


ROLE = [rule(group, resource, *verbs) for (group, resource), verbs in NEEDED.items()]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ([], []),
        ([rule("", "resourcequotas", "list"), rule("authorization.k8s.io", "selfsubjectaccessreviews", "create")], []),
        ([rule("", "pods", "create")], ["create pods"]),
        ([rule("", "pods", "watch", "*")], ["* pods"]),
        ([rule("batch", "jobs", "get"), rule("", "secrets", "list")], ["list secrets", "get jobs"]),
        ([rule("", "secrets", "list"), rule("*", "*", "*")], ["* *", "list secrets"]),
        ([rule("extensions", "deployments", "get")], ["get deployments"]),
        ([{"verbs": ["get"], "apiGroups": None, "resources": None}], []),
    ],
)
def test_more_than_the_role_is_named_the_worst_first(more: list[dict[str, Any]], found: list[str]) -> None:
    assert excess([*ROLE, *more]) == found


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Thu, 01 Jan 2026 11:59:29 GMT", "31 s behind SAC's"),
        ("Thu, 01 Jan 2026 12:00:31 GMT", "31 s ahead of SAC's"),
        ("Thu, 01 Jan 2026 12:00:30 GMT", None),
        ("Thu, 01 Jan 2026 11:59:30 GMT", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_another_clock_is_told(date: str, said: str | None) -> None:
    found = clock(date, datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert [finding.message.removeprefix("the cluster's clock is ") for finding in found] == ([said] if said else [])


async def probed(kubeconfig: Path, namespace: str) -> dict[str, Finding]:
    settings = KubernetesSettings(kubeconfig=kubeconfig, namespace=namespace)
    with temporary_context() as context:
        async with open_kubernetes(settings, context) as executor:
            probe = await executor.probe()
    assert probe.reachable
    return {finding.level: finding for finding in probe.findings if finding.check in ("rights", "clock")}


async def test_the_role_of_the_guide_is_enough_and_not_too_much(cluster: TestCluster) -> None:
    assert set(await probed(cluster.kubeconfig, cluster.namespace)) == {"ok"}


async def test_an_administrators_account_is_told_to_be_too_much(cluster: TestCluster) -> None:
    found = await probed(Path(os.environ["SAC_TEST_KUBECONFIG"]), cluster.namespace)
    assert set(found) == {"ok", "warning"}
    assert "may do more than it needs: * *" in found["warning"].message
