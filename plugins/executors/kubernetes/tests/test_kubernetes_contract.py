"""The Kubernetes executor keeps the ten promises on a real cluster, with the rights of the guide's role alone."""

from __future__ import annotations

from kubernetes_contract import KubernetesContract

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestKubernetesExecutor(KubernetesContract):
    pass
