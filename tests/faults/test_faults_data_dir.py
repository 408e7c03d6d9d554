"""A data directory that is taken away from a running server: it says so, and ends before another one is started."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from sac_core.testing.fixtures import eventually

if TYPE_CHECKING:
    from live_server import LiveServer


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def replace(folder: Path) -> None:
    """As a restored backup: the same files, and others."""
    aside = folder.with_name("aside")
    folder.rename(aside)
    shutil.copytree(aside, folder, ignore=shutil.ignore_patterns("*.sock"))


def remove_the_lock(folder: Path) -> None:
    (folder / "sac.db.lock").unlink()


@pytest.mark.parametrize("damage", [remove, replace, remove_the_lock])
async def test_a_server_without_its_data_directory_says_so_and_ends(live: LiveServer, damage: object) -> None:
    assert live.process is not None
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{live.port}", trust_env=False) as http:
        assert (await http.get("/readyz")).status_code == 200
        damage(live.folder)  # type: ignore[operator]
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "DataDirectoryGone")
    assert str(live.folder) in answer.json()["detail"]
    process = live.process
    await eventually(lambda: process.poll() is not None, 15)
    assert process.returncode == 1
    assert f"{live.folder}" in live.said.splitlines()[-1]
    assert "removed or replaced under the running server" in live.said.splitlines()[-1]
