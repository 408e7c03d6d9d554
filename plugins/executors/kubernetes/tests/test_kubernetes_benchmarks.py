"""That every benchmark of clusters runs, tiny, and yields figures; never how quick it was."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest.importorskip("terminado", reason="the libraries of the group bench are not installed")
sys.path.insert(0, str(Path(__file__).parents[4]))

from benchmarks.__main__ import GROUPS, TINY
from benchmarks.bodies import running_server
from benchmarks.figures import Missing
from benchmarks.kubernetes.cluster import open_cluster

from kubernetes_cluster import IMAGE, TestCluster

installed = pytest.mark.skipif(not entry_points(group="sac", name="kubernetes"), reason="the plugin is not installed")


@installed
@pytest.mark.parametrize("name", GROUPS["kubernetes"])
def test_a_benchmark_of_clusters_runs(name: str, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAC_BENCH_KUBECONFIG", os.environ["SAC_TEST_KUBECONFIG"])
    monkeypatch.setenv("SAC_BENCH_KUBERNETES_IMAGE", IMAGE)
    with running_server() as server:
        assert list(TINY[name](server))


@installed
def test_without_a_cluster_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAC_BENCH_KUBECONFIG", raising=False)
    with pytest.raises(Missing, match=r"cluster|command"), open_cluster():
        pytest.fail("there is no cluster")
