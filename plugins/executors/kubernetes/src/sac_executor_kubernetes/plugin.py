"""What this distribution offers to SAC. It is imported at every start: keep it quick."""

from __future__ import annotations

from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_executor_kubernetes.opening import open_kubernetes
from sac_executor_kubernetes.settings import KubernetesOptions, KubernetesSettings


@hookimpl
def sac_executors() -> list[ExecutorPlugin]:
    """The executor."""
    plugin = ExecutorPlugin(
        name="kubernetes",
        summary="Pods of a Kubernetes cluster, one Deployment each, without capabilities and with limits",
        open=open_kubernetes,
        settings=KubernetesSettings,
        options=KubernetesOptions,
    )
    return [plugin]
