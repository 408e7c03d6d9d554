"""The programs that work in a body beside the holder, as they are started there."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream, SocketStream
from anyio.streams.stapled import StapledByteStream

from sac_core.errors import UnavailableError
from sac_core.held.beside import Deliverer, greeted
from sac_core.held.program import DELIVER, RELAY


class Body:
    """A folder in which programs are started; ``begun`` counts them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.begun = folder, 0

    async def deliver(self) -> ByteStream:
        return await self.start(sys.executable, "-I", "-S", str(DELIVER), str(self.folder))

    async def start(self, *argv: str) -> ByteStream:
        self.begun += 1
        process = await anyio.open_process(argv, stderr=None)
        assert process.stdin is not None
        assert process.stdout is not None
        return _Ending(process)

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


class _Ending(StapledByteStream):
    """The streams of a process that ends with them."""

    def __init__(self, process: anyio.abc.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        super().__init__(process.stdin, process.stdout)
        self._process = process

    async def aclose(self) -> None:
        await self._process.aclose()


@pytest.fixture
def body(tmp_path: Path) -> Body:
    return Body(tmp_path / "secrets")


async def test_a_body_gets_the_files_and_no_others(body: Body) -> None:
    deliverer = Deliverer()
    await deliverer.deliver("life", {"a": b"1", "deep/b": b"2" * 100_000, "empty": b""}, body.deliver)
    assert body.files() == {"a": b"1", "deep/b": b"2" * 100_000, "empty": b""}
    assert (body.folder / "a").stat().st_mode & 0o777 == 0o400
    await deliverer.deliver("life", {"a": b"other"}, body.deliver)
    assert body.files() == {"a": b"other"}
    await deliverer.deliver("life", {}, body.deliver)
    assert not body.folder.exists()


async def test_what_a_life_has_is_not_brought_again(body: Body) -> None:
    deliverer = Deliverer()
    for life, begun in [("pod/0", 1), ("pod/0", 1), ("pod/1", 2), ("pod/0", 2)]:
        await deliverer.deliver(life, {"a": b"1"}, body.deliver)
        assert body.begun == begun
    deliverer.forget("pod/")
    await deliverer.deliver("pod/0", {"a": b"1"}, body.deliver)
    assert body.begun == 3


async def test_files_that_did_not_arrive_are_told_and_brought_again(body: Body) -> None:
    async def broken() -> ByteStream:
        return await body.start(sys.executable, "-c", "import os; os.read(0, 100)")

    deliverer = Deliverer()
    with pytest.raises(UnavailableError):
        await deliverer.deliver("life", {"a": b"1"}, broken)
    await deliverer.deliver("life", {"a": b"1"}, body.deliver)
    assert body.files() == {"a": b"1"}


async def test_a_relay_joins_the_holder(body: Body, tmp_path: Path) -> None:
    async with echo(tmp_path / "socket") as place:
        stream = await body.start(sys.executable, "-I", "-S", str(RELAY), str(place))
        async with stream:
            assert await greeted(stream)
            await stream.send(b"there and back")
            assert await stream.receive() == b"there and back"
            await stream.send_eof()
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()


async def test_a_relay_without_a_holder_says_so_and_is_closed(body: Body, tmp_path: Path) -> None:
    stream = await body.start(sys.executable, "-I", "-S", str(RELAY), str(tmp_path / "nobody"))
    assert not await greeted(stream)
    with pytest.raises(anyio.ClosedResourceError):
        await stream.receive()


@asynccontextmanager
async def echo(place: Path) -> AsyncIterator[Path]:
    """A socket whose other end says the same."""

    async def say_the_same(stream: SocketStream) -> None:
        async with stream:
            async for data in stream:
                await stream.send(data)

    async with await anyio.create_unix_listener(place) as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, say_the_same)
        yield place
        tasks.cancel_scope.cancel()
