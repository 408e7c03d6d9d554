"""What runs in a container beside the agent: the relay to the holder, and the delivery of files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from anyio.abc import ByteStream

from sac_core.errors import LostError, NotReadyError
from sac_core.held.beside import Deliverer, greeted
from sac_executor_docker.engine import Engine
from sac_executor_docker.holder_volume import python_command
from sac_executor_docker.rendering import SECRETS, SOCKET
from sac_executor_docker.seeing import Container
from sac_executor_docker.streams import ExecStream, Streams
from sac_executor_docker.troubles import Refusal


class Inner:
    """Runs our programs in containers that have a Python."""

    def __init__(self, engine: Engine, streams: Streams) -> None:
        self._engine, self._streams = engine, streams
        self._deliverer = Deliverer()

    async def relay(self, container: Container) -> ByteStream:
        """A stream to the container's holder; raises `NotReadyError` when it does not listen yet."""
        stream = await self._run(container.id, [*python_command(container.python, "relay"), SOCKET])
        if await greeted(stream):
            return stream
        raise NotReadyError("the holder in the container does not listen")

    async def deliver(self, container_id: str, python: str, files: Mapping[str, bytes]) -> None:
        """Let the container have these files and no others; nothing is done when it has them as far as we know."""
        argv = [*python_command(python, "deliver"), SECRETS]
        await self._deliverer.deliver(container_id, files, partial(self._run, container_id, argv))

    def forget(self, container_id: str) -> None:
        """It has nothing any more: it was started again, or is gone."""
        self._deliverer.forget(container_id)

    async def _run(self, container_id: str, argv: list[str]) -> ExecStream:
        try:
            made = await self._engine.call("exec_create", container_id, argv, stdin=True)
            return ExecStream(await self._streams.start_exec(made["Id"], tty=False))
        except Refusal as refusal:
            if refusal.status in (404, 409):
                raise LostError(f"the container does not run: {refusal.said}") from None
            raise
