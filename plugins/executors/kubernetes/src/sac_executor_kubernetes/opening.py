"""Opens the executor: what knows the cluster is imported here, and not at every start of SAC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sac_core.contracts.background import background
from sac_core.contracts.context import PluginContext
from sac_executor_kubernetes.settings import KubernetesSettings

if TYPE_CHECKING:
    from sac_executor_kubernetes.executor import KubernetesExecutor


@asynccontextmanager
async def open_kubernetes(settings: KubernetesSettings, context: PluginContext) -> AsyncIterator[KubernetesExecutor]:
    """Open the executor for the cluster of ``settings``, which need not answer yet; bodies outlive it."""
    from anyio import to_thread

    from sac_executor_kubernetes.cluster import open_cluster
    from sac_executor_kubernetes.executor import KubernetesExecutor
    from sac_executor_kubernetes.kubeconfig import find_access

    access = await to_thread.run_sync(find_access, settings)
    async with open_cluster(access, settings.timeout) as cluster, background() as tasks:
        yield KubernetesExecutor(settings, context, cluster, tasks)
