"""What runs in a pod beside the agent: the relay to the holder, and the delivery of files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import anyio
from anyio.abc import ByteStream

from sac_core.errors import LostError, NotReadyError, UnavailableError
from sac_executor_kubernetes.cluster import Cluster
from sac_executor_kubernetes.exec_stream import ExecStream
from sac_executor_kubernetes.naming import CONTAINER
from sac_executor_kubernetes.pods import Pod
from sac_executor_kubernetes.rendering import HOLDER_PLACE, SECRETS, SOCKET
from sac_executor_kubernetes.troubles import Refusal

_DEADLINE = 10.0


class Inner:
    """Runs our programs in pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._delivered: dict[str, bytes] = {}

    async def relay(self, pod: Pod, python: str) -> ByteStream:
        """A stream to the pod's holder; raises `NotReadyError` when it does not listen yet."""
        stream = await self._run(pod, [python, "-I", "-S", f"{HOLDER_PLACE}/relay.py", SOCKET])
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
        raise NotReadyError(f"the holder in the pod does not listen{': ' if stream.said else ''}{stream.said}")

    async def deliver(self, pod: Pod, python: str, files: Mapping[str, bytes]) -> None:
        """Let the pod have these files and no others; nothing is done when it has them as far as we know."""
        message = b"".join(_sized(part) for name, value in files.items() for part in (name.encode(), value))
        digest = hashlib.sha256(message).digest()
        if self._delivered.get(pod.life) == digest:
            return
        with anyio.move_on_after(_DEADLINE):
            argv = [python, "-I", "-S", f"{HOLDER_PLACE}/deliver.py", SECRETS]
            async with await self._run(pod, argv) as stream:
                await stream.send(_sized(message))
                if await _all(stream) == b"delivered\n":
                    self._delivered[pod.life] = digest
                    return
        raise UnavailableError("the files of secrets could not be delivered to the pod", retry_after=1)

    def forget(self, uid: str) -> None:
        """A pod is gone, or its container was started again."""
        self._delivered = {life: digest for life, digest in self._delivered.items() if not life.startswith(uid)}

    async def _run(self, pod: Pod, argv: Sequence[str]) -> ExecStream:
        query = {"container": CONTAINER, "stdin": "true", "stdout": "true", "stderr": "true", "command": list(argv)}
        path = f"{self._cluster.place('pods')}/{pod.name}/exec?{urlencode(query, doseq=True)}"
        try:
            return ExecStream(await self._cluster.websocket(path))
        except Refusal as refusal:
            if refusal.status == 404:
                raise LostError(f"the pod does not run: {refusal.said}") from None
            if refusal.status in (400, 500):
                raise NotReadyError(f"the container does not run: {refusal.said}") from None
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
