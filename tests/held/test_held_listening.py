"""The body's way to the server: unix sockets in the body whose connections become streams."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import anyio
import pytest

from holder_process import linked, shell
from sac_core.errors import ConflictError, InvalidError
from sac_core.held import HolderLink
from sac_core.models.process import Command
from sac_core.wire.holder import MAX_STREAMS, STREAM_WINDOW

CLIENT = """
import hashlib, socket, sys
sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
for _ in range(160):
    sock.sendall(bytes(range(256)) * 256)
sock.shutdown(socket.SHUT_WR)
digest = hashlib.sha256()
while data := sock.recv(65536):
    digest.update(data)
print(digest.hexdigest())
"""
"""A program in a body: says 10 MiB and its end, then tells what it was answered."""


async def test_a_program_in_the_body_talks_to_the_server(holder: Path, link: HolderLink) -> None:
    said = hashlib.sha256(bytes(range(256)) * 256 * 160).hexdigest()
    answer = os.urandom(3 * 1024 * 1024)
    async with link.listen("way.sock") as listener:
        process = await link.open_process("p", Command(argv=("python3", "-c", CLIENT, str(holder / "way.sock"))))
        with anyio.fail_after(20):
            stream = await listener.accept()
            digest = hashlib.sha256()
            async for data in stream:
                digest.update(data)
            await stream.send(answer)
            await stream.send_eof()
            heard = b"".join([chunk.data async for chunk in process.output()])
    assert digest.hexdigest() == said
    assert heard.decode().strip() == hashlib.sha256(answer).hexdigest()
    await link.list()  # calls are taken in order
    assert not (holder / "way.sock").exists()


async def test_neither_side_can_flood_the_other(holder: Path, link: HolderLink) -> None:
    async with link.listen("way.sock") as listener:
        async with await anyio.connect_unix(holder / "way.sock") as body:
            stream = await listener.accept()
            with anyio.move_on_after(0.5) as body_waits:
                await body.send(bytes(64 * STREAM_WINDOW))
            with anyio.move_on_after(0.5) as server_waits:
                await stream.send(bytes(64 * STREAM_WINDOW))
            assert body_waits.cancelled_caught
            assert server_waits.cancelled_caught
        assert await link.list() == ()  # and the link is not clogged


async def test_what_is_closed_on_one_side_ends_on_the_other(holder: Path, link: HolderLink) -> None:
    async with link.listen("way.sock") as listener:
        body = await anyio.connect_unix(holder / "way.sock")
        stream = await listener.accept()
        await stream.aclose()
        with anyio.fail_after(20), pytest.raises(anyio.EndOfStream):
            await body.receive()
        await body.aclose()

        body = await anyio.connect_unix(holder / "way.sock")
        stream = await listener.accept()
        await body.send(b"last")
        await body.aclose()
        with anyio.fail_after(20):
            assert [data async for data in stream] == [b"last"]
        await stream.aclose()
        with pytest.raises(anyio.ClosedResourceError):
            await stream.send(b"x")


async def test_the_newest_link_has_the_path(holder: Path, link: HolderLink) -> None:
    """A server that starts again listens where the one that it follows did, whose connection may still be open."""
    async with link.listen("way.sock"):
        async with linked(holder) as second, second.listen("way.sock") as listener:
            await link.list()
            async with await anyio.connect_unix(holder / "way.sock") as body:
                with anyio.fail_after(20):
                    stream = await listener.accept()
                await body.send(b"hello")
                assert await stream.receive() == b"hello"
    await link.list()  # calls are taken in order
    assert not (holder / "way.sock").exists()


async def test_a_lost_link_ends_its_streams(holder: Path) -> None:
    async with linked(holder) as first, first.listen("way.sock") as listener:
        body = await anyio.connect_unix(holder / "way.sock")
        stream = await listener.accept()
        first.carrier.lose("lost by the test")
        with pytest.raises(anyio.BrokenResourceError, match="lost by the test"):
            await stream.receive()
        with pytest.raises(anyio.EndOfStream):
            await listener.accept()
    with anyio.fail_after(20), pytest.raises(anyio.EndOfStream):
        await body.receive()
    await body.aclose()


async def test_connections_that_nobody_takes_are_bounded(holder: Path, link: HolderLink) -> None:
    async with link.listen("way.sock") as listener:
        bodies = []
        for _ in range(MAX_STREAMS + 8):
            body = socket.socket(socket.AF_UNIX)
            await anyio.to_thread.run_sync(body.connect, str(holder / "way.sock"))
            bodies.append(body)
        assert await link.list() == ()  # the holder has taken or refused them all, and the link lives
        with anyio.fail_after(20):
            stream = await listener.accept()
            bodies[0].sendall(b"first")
            assert await stream.receive() == b"first"
        for body in bodies:
            body.close()


@pytest.mark.parametrize("path", ["", "no/such/folder.sock", "x" * 200])
async def test_a_path_that_cannot_be_is_refused(link: HolderLink, path: str) -> None:
    with pytest.raises(InvalidError, match=r"path|listen"):
        async with link.listen(path):
            pass
    assert await link.list() == ()


async def test_the_same_path_twice_is_refused(link: HolderLink) -> None:
    async with link.listen("way.sock"):
        with pytest.raises(ConflictError, match="already"):
            async with link.listen("way.sock"):
                pass


async def test_a_file_of_the_body_is_not_removed(holder: Path, link: HolderLink) -> None:
    (holder / "notes").write_text("mine")
    with pytest.raises(InvalidError, match="cannot listen"):
        async with link.listen("notes"):
            pass
    assert (holder / "notes").read_text() == "mine"


async def test_the_holder_ends_with_listeners_open(link: HolderLink) -> None:
    async with link.listen("way.sock"):
        process = await link.open_process("p", shell("exit 0"))
        assert (await process.wait()).code == 0
