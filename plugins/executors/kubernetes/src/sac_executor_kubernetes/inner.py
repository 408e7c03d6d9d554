"""What runs in a pod beside the agent: the relay to the holder, and the delivery of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import urlencode

from anyio.abc import ByteStream

from sac_core.errors import LostError, NotReadyError
from sac_core.held.beside import Deliverer, greeted
from sac_executor_kubernetes.cluster import Cluster
from sac_executor_kubernetes.exec_stream import ExecStream
from sac_executor_kubernetes.naming import CONTAINER
from sac_executor_kubernetes.pods import Pod
from sac_executor_kubernetes.rendering import HOLDER_PLACE, SECRETS, SOCKET
from sac_executor_kubernetes.troubles import Refusal


class Inner:
    """Runs our programs in pods."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._deliverer = Deliverer()

    async def relay(self, pod: Pod, python: str) -> ByteStream:
        """A stream to the pod's holder; raises `NotReadyError` when it does not listen yet."""
        stream = await self._run(pod, [python, "-I", "-S", f"{HOLDER_PLACE}/relay.py", SOCKET])
        if await greeted(stream):
            return stream
        raise NotReadyError(f"the holder in the pod does not listen{': ' if stream.said else ''}{stream.said}")

    async def deliver(self, pod: Pod, python: str, files: Mapping[str, bytes]) -> None:
        """Let the pod have these files and no others; nothing is done when it has them as far as we know."""
        argv = [python, "-I", "-S", f"{HOLDER_PLACE}/deliver.py", SECRETS]
        await self._deliverer.deliver(pod.life, files, partial(self._run, pod, argv))

    def forget(self, uid: str) -> None:
        """A pod is gone, or its container was started again."""
        self._deliverer.forget(uid)

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
