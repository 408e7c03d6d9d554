"""What this distribution offers to SAC. It is imported at every start: keep it quick."""

from __future__ import annotations

from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_executor_docker.opening import open_docker
from sac_executor_docker.settings import DockerOptions, DockerSettings


@hookimpl
def sac_executors() -> list[ExecutorPlugin]:
    """The executor."""
    plugin = ExecutorPlugin(
        name="docker",
        summary="Containers of a Docker Engine, without capabilities and with limits",
        open=open_docker,
        settings=DockerSettings,
        options=DockerOptions,
    )
    return [plugin]
