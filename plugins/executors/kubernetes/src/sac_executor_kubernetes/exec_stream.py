"""The standard input and output of an exec in a pod, as one stream of bytes over a WebSocket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
from anyio.abc import ByteStream

from sac_core.errors import UnsupportedError

if TYPE_CHECKING:
    from sac_executor_kubernetes.sdk import WebSocket

_STDIN, _STDOUT, _STATUS = 0, 1, 3
_CLOSE_STDIN = b"\xff\x00"
_CAN_CLOSE = "v5.channel.k8s.io"
_MOST = 128 * 1024
"""Bytes in one message: what waits behind it waits no longer than that takes."""


class ExecStream(ByteStream):
    """``said`` is what the cluster told of the command's end, once it did."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._rest = b""
        self._over = False
        self.said = ""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        while not self._rest:
            self._rest = await self._message()
        piece, self._rest = self._rest[:max_bytes], self._rest[max_bytes:]
        return piece

    async def _message(self) -> bytes:
        """Output of the next message; empty when it is about something else."""
        from sac_executor_kubernetes.sdk import CLOSING, FAILURES

        if self._over:
            raise anyio.EndOfStream
        try:
            message = await self._socket.receive()
        except FAILURES:
            raise anyio.EndOfStream from None
        if message.type in CLOSING:
            self._over = True
            raise anyio.EndOfStream
        data: bytes = message.data if isinstance(message.data, bytes) else b""
        if data[:1] == bytes([_STATUS]):
            self.said = _said(data[1:])
        return data[1:] if data[:1] == bytes([_STDOUT]) else b""

    async def send(self, item: bytes) -> None:
        from sac_executor_kubernetes.sdk import FAILURES

        view = memoryview(item)
        try:
            while view:
                await self._socket.send_bytes(bytes([_STDIN]) + view[:_MOST])
                view = view[_MOST:]
        except FAILURES as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """Raises `UnsupportedError` where the input cannot end alone: who reads it would wait for ever."""
        if self._socket.protocol != _CAN_CLOSE:
            raise UnsupportedError(
                "this cluster cannot end the input of an exec alone", hint="Kubernetes 1.30 or later"
            )
        await self._socket.send_bytes(_CLOSE_STDIN)

    async def aclose(self) -> None:
        self._over = True
        with anyio.CancelScope(shield=True):
            await self._socket.close()


def _said(data: bytes) -> str:
    try:
        return str(json.loads(data).get("message") or "")
    except (ValueError, AttributeError):
        return ""
