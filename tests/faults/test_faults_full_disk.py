"""A full disk: a clear error for what must be written; what runs and what is only read goes on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from live_server import LiveServer, until
from sac_core.client.surface import HttpSac
from sac_core.errors import SacError
from sac_core.wire.terminal import Output

SIZE = "24m"


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[LiveServer]:
    """A server whose data directory is a disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() != 0:
        pytest.skip("faults: only root may mount a small disk")
    done = await anyio.run_process(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)], check=False)
    if done.returncode != 0:
        pytest.skip(f"faults: no small disk can be mounted here: {done.stderr.decode().strip()}")
    server = LiveServer(disk / "data")
    try:
        await server.start()
        yield server
    finally:
        server.end()
        await anyio.run_process(["umount", "--lazy", str(disk)])


def fill(folder: Path) -> Path:
    """Take what is left of the disk, in one piece: what the server gives back from its reserve is not for us."""
    filler = folder.parent / "filler"
    disk = os.statvfs(folder)
    left = disk.f_bavail * disk.f_frsize
    with filler.open("wb") as file:
        while True:
            try:
                os.posix_fallocate(file.fileno(), 0, left)
                return filler
            except OSError:  # somebody wrote at the same moment
                left -= disk.f_frsize


async def test_a_full_disk_is_an_error_that_says_so_and_all_else_goes_on(small: LiveServer) -> None:
    async with small.client() as sac:
        await sac.agents.create("before")
        await sac.agents.wait("before", timeout=20)
        session = (await sac.sessions.create("before", command=["cat"])).metadata.name
        async with sac.sessions.attach(session) as terminal:
            filler = fill(small.folder)
            error = await refused(sac)
            assert "disk" in str(error) or "space" in str(error), error
            assert "Traceback" not in small.said
            assert (await sac.agents.get("before")).status.phase == "Running"
            assert (await sac.exec("before", ["echo", "goes on"])).stdout == "goes on\n"
            await terminal.write(b"still here\n")
            seen = b""
            with anyio.fail_after(10):
                async for event in terminal:
                    seen += event.data if isinstance(event, Output) else b""
                    if seen.count(b"still here") == 2:
                        break
            filler.unlink()

        async def made() -> bool:
            try:
                await sac.agents.create("after")
            except SacError:
                return False
            return True

        await until(made, seconds=15)
        await sac.agents.wait("after", timeout=20)


async def test_on_a_full_disk_agents_are_stopped_and_deleted_also_after_a_restart(small: LiveServer) -> None:
    async with small.client() as sac:
        for name in ("stopped", "deleted", "later"):
            await sac.agents.create(name)
            await sac.agents.wait(name, timeout=20)
        filler = fill(small.folder)
        assert (await refused(sac)).reason == "StorageFull"
        await sac.agents.stop("stopped")
        await sac.agents.wait("stopped", "Stopped", timeout=20)
        await sac.agents.delete("deleted")
        await sac.agents.wait("deleted", "absent", timeout=20)
    await small.restart()
    async with small.client() as sac:
        assert (await refused(sac)).reason == "StorageFull"
        await sac.agents.delete("later")
        await sac.agents.wait("later", "absent", timeout=20)
        assert len(small.holders()) == 0
        filler.unlink()
        await sac.agents.create("after")
        await sac.agents.wait("after", timeout=20)
    assert (small.folder / "sac.db.reserve").stat().st_size > 0


async def refused(sac: HttpSac) -> SacError:
    """Create agents until one is refused; the first may still fit into what the file had left."""
    for number in range(50):
        try:
            await sac.agents.create(f"more-{number}")
        except SacError as error:
            return error
    raise AssertionError("the disk is full, and nothing says so")
