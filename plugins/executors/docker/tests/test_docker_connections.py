"""Connections to the engine end as asyncio's do: a cancelled read and a half closed stream trouble nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import httpcore2
import pytest

from sac_core.testing.fixtures import eventually
from sac_executor_docker.connections import Backend, Connection


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "engine.sock"))
        listener.listen()
        listener.settimeout(20)
        yield listener


async def connected(listener: socket.socket) -> tuple[Connection, socket.socket]:
    stream = await Backend(tls=False).connect_unix_socket(listener.getsockname(), timeout=20)
    assert isinstance(stream, Connection)
    peer, _ = listener.accept()
    peer.settimeout(20)
    return stream, peer


async def test_a_read_that_is_cancelled_as_data_comes_is_nobodys_trouble(listener: socket.socket) -> None:
    """What the event loop cannot tell anybody fails the test: anyio raises it in the end."""
    stream, peer = await connected(listener)
    loop = asyncio.get_running_loop()

    def soon(what: Callable[[], None]) -> None:
        loop.call_soon(what)

    with peer:
        for _ in range(3):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream.read, 1)
                await anyio.wait_all_tasks_blocked()
                loop.call_soon(soon, tasks.cancel_scope.cancel)  # right before the loop hears of the data
                loop.call_soon(peer.send, b"x")
            assert await stream.read(1) == b"x"
    await stream.aclose()


async def test_the_input_ends_alone(listener: socket.socket) -> None:
    stream, peer = await connected(listener)
    with peer:
        await stream.write(b"all")
        stream.get_extra_info("writer").write_eof()
        assert (peer.recv(100), peer.recv(100)) == (b"all", b"")
        peer.send(b"answer")
        assert await stream.read(100) == b"answer"
        await stream.aclose()


async def test_closing_wakes_who_reads(listener: socket.socket) -> None:
    stream, peer = await connected(listener)
    with peer, anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.read, 1)
            await anyio.wait_all_tasks_blocked()
            await stream.aclose()


async def test_what_is_written_has_left_before_it_is_closed(listener: socket.socket) -> None:
    stream, peer = await connected(listener)
    much = bytes(1 << 20)
    with peer:
        async with anyio.create_task_group() as tasks:

            async def sent() -> None:
                await stream.write(much)
                await stream.aclose()

            tasks.start_soon(sent)
            assert len(await anyio.to_thread.run_sync(all_of, peer)) == len(much)


def all_of(peer: socket.socket) -> bytes:
    return b"".join(iter(lambda: peer.recv(1 << 16), b""))


async def test_an_idle_connection_that_the_engine_ended_is_known(listener: socket.socket) -> None:
    stream, peer = await connected(listener)
    assert not stream.get_extra_info("is_readable")
    peer.close()
    await eventually(lambda: stream.get_extra_info("is_readable"), 20)
    await stream.aclose()


async def test_a_late_answer_and_an_absent_engine_are_failures_of_http(tmp_path: Path, listener: socket.socket) -> None:
    stream, peer = await connected(listener)
    with peer, pytest.raises(httpcore2.ReadTimeout):
        await stream.read(1, timeout=0.01)
    await stream.aclose()
    with pytest.raises(httpcore2.ConnectError):
        await Backend(tls=False).connect_unix_socket(str(tmp_path / "none"), timeout=20)
