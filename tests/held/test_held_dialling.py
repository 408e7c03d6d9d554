"""The server's way to ports of the body's loopback, through its holder."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from holder_process import linked
from sac_core.errors import NotReadyError, UnavailableError
from sac_core.held import HolderLink
from sac_core.held.listening import BodyStream
from sac_core.testing.fixtures import eventually, unused_port
from sac_core.wire.holder import MAX_DIALS, STREAM_WINDOW

SAID = bytes(range(256)) * 4096 * 3


@asynccontextmanager
async def echoing(host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A server that sends back what it hears, to its end."""

    async def echo(stream: SocketStream) -> None:
        async with stream:
            async for data in stream:
                await stream.send(data)
            await stream.send_eof()

    async with await anyio.create_tcp_listener(local_host=host) as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, echo)
        yield int(listener.extra(SocketAttribute.local_port))
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_bytes_go_and_come_back_to_their_end(holder: Path, link: HolderLink, host: str) -> None:
    async with echoing(host) as port, await link.dial(port) as stream, anyio.create_task_group() as tasks:

        async def say() -> None:
            await stream.send(SAID)
            await stream.send_eof()

        tasks.start_soon(say)
        with anyio.fail_after(30):
            assert b"".join([data async for data in stream]) == SAID


async def test_what_is_said_first_is_not_lost(holder: Path, link: HolderLink) -> None:
    """A server may speak before it is spoken to: its first bytes come with the answer to the call."""

    async def greet(stream: SocketStream) -> None:
        async with stream:
            await stream.send(b"SSH-2.0-x\r\n")

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, greet)
        for _ in range(50):
            async with await link.dial(int(listener.extra(SocketAttribute.local_port))) as stream:
                with anyio.fail_after(20):
                    assert b"".join([data async for data in stream]) == b"SSH-2.0-x\r\n"
        tasks.cancel_scope.cancel()


async def test_nothing_listens_is_said(holder: Path, link: HolderLink) -> None:
    with pytest.raises(NotReadyError) as caught:
        await link.dial(unused_port())
    assert caught.value.reason == "NothingListens"


async def test_who_does_not_read_is_waited_for(holder: Path, link: HolderLink) -> None:
    async with echoing() as port, await link.dial(port) as stream:
        with anyio.move_on_after(0.5) as waits:
            await stream.send(bytes(64 * 2**20))
        assert waits.cancelled_caught
        assert await link.list() == ()  # and the link is not clogged
        assert len(await stream.receive()) <= STREAM_WINDOW


async def test_streams_are_bounded_and_free_again(holder: Path, link: HolderLink) -> None:
    async with echoing() as port:
        streams = [await link.dial(port) for _ in range(MAX_DIALS)]
        with pytest.raises(UnavailableError, match="64 connections to this agent's ports are open"):
            await link.dial(port)
        for stream in streams:
            await stream.aclose()
        async with await link.dial(port) as stream:
            await stream.send(b"x")
            assert await stream.receive() == b"x"


async def test_who_leaves_while_it_connects_leaves_nothing(holder: Path, link: HolderLink) -> None:
    async with echoing() as port:

        async def attempt() -> None:
            await (await link.dial(port)).aclose()

        for number in range(MAX_DIALS + 8):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(attempt)
                for _ in range(number % 5):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
        streams: list[BodyStream] = []

        async def all_are_free() -> bool:
            """What was left behind is closed when the holder's answer to it has come."""
            try:
                while len(streams) < MAX_DIALS:
                    streams.append(await link.dial(port))
            except UnavailableError:
                return False
            return True

        await eventually(all_are_free, 30)
        for stream in streams:
            await stream.aclose()


async def test_a_lost_link_closes_the_bodys_end(holder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        async with linked(holder) as first:
            await first.dial(listener.getsockname()[1])
            accepted, _ = await anyio.to_thread.run_sync(listener.accept)
        with accepted:
            accepted.settimeout(20)
            assert await anyio.to_thread.run_sync(accepted.recv, 1) == b""


async def test_who_sends_meanwhile_does_not_get_into_the_middle(holder: Path, link: HolderLink) -> None:
    whole, late = b"a" * 4 * 2**20, 0
    async with echoing() as port, await link.dial(port) as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(stream.send, whole)
        heard = bytearray()
        with anyio.fail_after(30):
            while len(heard) < len(whole) + late:
                heard += await stream.receive()
                if len(heard) < 2**20:
                    late += 1
                    tasks.start_soon(stream.send, b"b")
    assert late
    assert heard == whole + b"b" * late


async def test_who_dials_much_leaves_room_for_the_ways_out(holder: Path, link: HolderLink) -> None:
    async with echoing() as port, link.listen("out") as listener:
        for _ in range(MAX_DIALS):
            await link.dial(port)
        with pytest.raises(UnavailableError):
            await link.dial(port)
        async with await anyio.connect_unix(holder / "out") as caller, await listener.accept() as stream:
            await caller.send(b"x")
            with anyio.fail_after(20):
                assert await stream.receive() == b"x"
