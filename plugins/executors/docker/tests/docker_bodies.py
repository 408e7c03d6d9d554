"""A body of a test, brought to running and away again."""

from __future__ import annotations

from sac_core.models.body import Key
from sac_core.models.launch import NO_SECRETS, Launch, Template
from sac_core.testing.fixtures import eventually, new_key
from sac_executor_docker.executor import DockerExecutor

_PATIENCE = 60.0


async def running(executor: DockerExecutor, image: str, key: Key | None = None) -> Key:
    """A body of an image that runs, and has a holder if the image has a Python; a new one, or the one of ``key``."""
    key, launch = key or new_key(), Launch(template=Template(image=image))

    async def runs() -> bool:
        return (await executor.ensure(key, launch, NO_SECRETS)).phase == "running"

    await eventually(runs, _PATIENCE)
    return key


async def remove(executor: DockerExecutor, key: Key) -> None:
    """Let a body end, with its volumes."""

    async def gone() -> bool:
        return (await executor.delete(key, generation=1, grace=0, purge=True)).phase == "absent"

    await eventually(gone, _PATIENCE)
