"""The stream of an exec against a stand-in: newer clusters than the one for tests, which can end the input alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from sac_core.errors import UnsupportedError
from sac_executor_kubernetes.cluster import open_cluster
from sac_executor_kubernetes.exec_stream import ExecStream
from sac_executor_kubernetes.kubeconfig import Access

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


async def back(connection: ServerConnection) -> None:
    """Output is the input; the end of the input is told, and then how it ended."""
    async for message in connection:
        assert isinstance(message, bytes)
        if message == b"\xff\x00":
            await connection.send(b"\x02not for us")
            await connection.send(b"\x03" + b'{"status": "Failure", "message": "code 3"}')
            return
        await connection.send(b"\x01" + message[1:])


@asynccontextmanager
async def stream(*protocols: str) -> AsyncIterator[ExecStream]:
    """To a cluster that knows these protocols."""
    known = [Subprotocol(each) for each in protocols]
    async with serve(back, "127.0.0.1", 0, subprotocols=known, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with open_cluster(Access(server=f"http://127.0.0.1:{port}", namespace="test"), 5.0) as cluster:
            async with ExecStream(await cluster.websocket("/exec")) as found:
                yield found


async def test_bytes_come_back_whole_in_pieces_of_any_size() -> None:
    data = bytes(range(256)) * 4096
    heard = b""
    with anyio.fail_after(20):
        async with stream(V5, V4) as found, anyio.create_task_group() as tasks:
            tasks.start_soon(found.send, data)
            while len(heard) < len(data):
                heard += await found.receive(1000)
    assert heard == data


async def test_the_input_ends_alone_where_the_cluster_can() -> None:
    with anyio.fail_after(20):
        async with stream(V5, V4) as found:
            await found.send(b"last")
            await found.send_eof()
            assert await found.receive() == b"last"
            with pytest.raises(anyio.EndOfStream):
                await found.receive()
            assert found.said == "code 3"


async def test_an_older_cluster_refuses_to_end_the_input_rather_than_hang() -> None:
    async with stream(V4) as found:
        with pytest.raises(UnsupportedError, match="end the input"):
            await found.send_eof()
