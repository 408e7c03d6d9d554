"""Promises 3, 7 and 10 for archives: every body takes and gives them by a process, unless it has no tool for it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio
import pytest

from sac_core.contracts.sac import Exec
from sac_core.errors import LaunchError, NotFoundError, UnsupportedError
from sac_core.models.body import Key
from sac_core.models.process import Command
from sac_core.service.archives import Reach, read_archive, write_archive
from sac_core.service.execs import ProcessExec
from sac_core.testing.body_commands import filled
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise

MIB = 1024 * 1024
PLACE = "archive"
"""The id of the process that moves an archive."""
_NAMES = ("plain", "with \udce9\udcff bytes\n", "-rf", "a long name, which no header has room for, " * 5)


def sample(size: int = 3 * MIB) -> bytes:
    """An archive of some files, the last of so many bytes."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        for number, name in enumerate(_NAMES):
            info = tarfile.TarInfo(name)
            info.size = size if number == len(_NAMES) - 1 else number
            info.mode, info.mtime = 0o640 + number, 1_600_000_000 + number
            tar.addfile(info, io.BytesIO(filled(info.size)))
    return made.getvalue()


def contents(archive: bytes) -> dict[str, tuple[int, float, bytes]]:
    """The files of an archive by name: mode, time and bytes."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), errors="surrogateescape") as tar:
        for info in tar:
            file = tar.extractfile(info) if info.isreg() else None
            if file is not None:
                found[info.name.removeprefix("./")] = (info.mode, info.mtime, file.read())
    return found


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """An archive as it comes from afar."""
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]


def reach(bench: Bench, key: Key) -> Reach:
    """A body's files, as the service reaches them."""

    @asynccontextmanager
    async def running(command: Command) -> AsyncIterator[Exec]:
        options = command.model_dump(exclude={"argv"})
        try:
            process = await bench.open(key, PLACE, command.argv, **options)
        except NotFoundError as error:
            raise LaunchError(error.message, reason="CommandNotFound") from None
        try:
            yield ProcessExec(process)
        finally:
            await process.aclose()

    return Reach(running)


class Archives(ContractBase):
    @promise(7)
    async def test_an_archive_in_and_back_is_identical(self, bench: Bench) -> None:
        key = await bench.body()
        with anyio.fail_after(3 * self.timeout):
            await self._put(reach(bench, key), sample())
            back = b"".join([piece async for piece in read_archive(reach(bench, key), self.writable)])
        found, wanted = contents(back), contents(sample())
        assert {name: found.get(name) == one for name, one in wanted.items()} == dict.fromkeys(wanted, True)

    @promise(10)
    async def test_a_path_that_is_not_there_is_named(self, bench: Bench) -> None:
        key = await bench.body()
        await self._put(reach(bench, key), sample(0))
        with anyio.fail_after(self.timeout), pytest.raises(NotFoundError, match="no-such-file") as caught:
            await anext(read_archive(reach(bench, key), f"{self.writable}/no-such-file"))
        assert caught.value.field == "path"

    @promise(3)
    async def test_an_archive_that_is_left_in_the_middle_leaves_no_process(self, bench: Bench) -> None:
        key = await bench.body()
        with anyio.fail_after(3 * self.timeout):
            await self._put(reach(bench, key), sample())
            async with aclosing(read_archive(reach(bench, key), self.writable)) as archive:
                await anext(archive)
        again = await bench.open(key, PLACE, bench.commands.emit(9))
        with anyio.fail_after(self.timeout):
            assert (await again.wait()).code == 9, "the process that moved the archive was not ended and forgotten"

    async def _put(self, there: Reach, archive: bytes) -> None:
        try:
            await write_archive(there, self.writable, pieces(archive))
        except UnsupportedError:
            pytest.skip("capability: tar or python3 in the body")
