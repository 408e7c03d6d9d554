"""Opens the executor: what knows the engine is imported here, and not at every start of SAC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sac_core.contracts.background import background
from sac_core.contracts.context import PluginContext
from sac_executor_docker.settings import DockerSettings

if TYPE_CHECKING:
    from sac_executor_docker.executor import DockerExecutor


@asynccontextmanager
async def open_docker(settings: DockerSettings, context: PluginContext) -> AsyncIterator[DockerExecutor]:
    """Open the executor for the engine of ``settings``, which need not answer yet; bodies outlive it."""
    from sac_executor_docker.address import find_address
    from sac_executor_docker.engine import Engine
    from sac_executor_docker.executor import DockerExecutor
    from sac_executor_docker.streams import open_streams

    address = find_address(settings.host, settings.tls)
    engine = Engine(address, settings.timeout)
    try:
        async with open_streams(address, settings.timeout) as streams, background() as tasks:
            executor = DockerExecutor(settings, context, engine, streams, tasks)
            tasks.start_soon(executor.tidy)
            yield executor
    finally:
        engine.close()
