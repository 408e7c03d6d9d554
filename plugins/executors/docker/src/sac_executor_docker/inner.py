"""What runs in a container beside the agent: the relay to the holder, and the delivery of files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import anyio
from anyio.abc import ByteStream

from sac_core.errors import LostError, NotReadyError, UnavailableError
from sac_executor_docker.engine import Engine
from sac_executor_docker.holder_volume import python_command
from sac_executor_docker.rendering import SECRETS, SOCKET
from sac_executor_docker.seeing import Container
from sac_executor_docker.streams import ExecStream, Streams
from sac_executor_docker.troubles import Refusal

_DEADLINE = 10.0


class Inner:
    """Runs our programs in containers that have a Python."""

    def __init__(self, engine: Engine, streams: Streams) -> None:
        self._engine, self._streams = engine, streams
        self._delivered: dict[str, bytes] = {}

    async def relay(self, container: Container) -> ByteStream:
        """A stream to the container's holder; raises `NotReadyError` when it does not listen yet."""
        stream = await self._run(container.id, [*python_command(container.python, "relay"), SOCKET])
        try:
            with anyio.fail_after(_DEADLINE):
                if await stream.receive(1) == b"+":
                    return stream
        except (anyio.EndOfStream, TimeoutError):
            pass
        except BaseException:
            await stream.aclose()
            raise
        await stream.aclose()
        raise NotReadyError("the holder in the container does not listen")

    async def deliver(self, container_id: str, python: str, files: Mapping[str, bytes]) -> None:
        """Let the container have these files and no others; nothing is done when it has them as far as we know."""
        message = b"".join(_sized(part) for name, value in files.items() for part in (name.encode(), value))
        digest = hashlib.sha256(message).digest()
        if self._delivered.get(container_id) == digest:
            return
        with anyio.move_on_after(_DEADLINE):
            argv = [*python_command(python, "deliver"), SECRETS]
            async with await self._run(container_id, argv) as stream:
                await stream.send(_sized(message))
                if await _all(stream) == b"delivered\n":
                    self._delivered[container_id] = digest
                    return
        raise UnavailableError("the files of secrets could not be delivered to the container", retry_after=1)

    def forget(self, container_id: str) -> None:
        """It has nothing any more: it was started again, or is gone."""
        self._delivered.pop(container_id, None)

    async def _run(self, container_id: str, argv: list[str]) -> ExecStream:
        try:
            made = await self._engine.call("exec_create", container_id, argv, stdin=True)
            return ExecStream(await self._streams.start_exec(made["Id"], tty=False))
        except Refusal as refusal:
            if refusal.status in (404, 409):
                raise LostError(f"the container does not run: {refusal.said}") from None
            raise


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


async def _all(stream: ByteStream) -> bytes:
    said = b""
    try:
        while True:
            said += await stream.receive()
    except anyio.EndOfStream:
        return said
