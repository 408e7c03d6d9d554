"""Files in the console: into the browser's downloads and from its disk, whole, with what is said when it fails."""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Download, expect

from live_server import until
from sac_core.client.surface import HttpSac

if TYPE_CHECKING:
    from browser.conftest import Console

pytestmark = pytest.mark.browser

REFUSED = re.compile(r"status of (400|404|409|422|503)")
BROKE_OFF = re.compile(r"status of|net::ERR_")
LARGE = 24 * 1024 * 1024
"""Bytes: more than the page gathers at once."""

HALTING_TAR = """#!/bin/sh
/bin/tar "$@" | head -c 3000000
while [ ! -e go ]; do sleep 0.1; done
echo "tar: the disk fell off" >&2
exit 2
"""


@pytest.fixture
async def folder(console: Console, sac: HttpSac, tmp_path: Path) -> AsyncIterator[Path]:
    """The folder of the agent ``f1``, which runs."""
    folder = tmp_path / "agent"
    folder.mkdir()
    await sac.agents.create("f1", {"runtime": "shell", "workspace": {"folder": str(folder)}})
    await sac.agents.wait("f1", timeout=30)
    yield folder
    await console.go("agents")  # the page of an agent that goes asks for what has gone
    await sac.agents.delete("f1")
    await sac.agents.wait("f1", "absent", timeout=30)


async def shown(console: Console) -> None:
    await console.go("agents/f1")
    await expect(console.at("download")).to_be_enabled(timeout=20_000)


async def downloaded(console: Console, path: str) -> Download:
    await console.at("field-from").fill(path)
    async with console.page.expect_download() as coming:
        await console.at("download").click()
    return await coming.value


async def choose(console: Console, button: str, chosen: Path | list[Path]) -> None:
    async with console.page.expect_file_chooser() as opening:
        await console.at(button).click()
    await (await opening.value).set_files(chosen)


async def test_a_file_comes_as_it_is(console: Console, folder: Path, tmp_path: Path) -> None:
    content = os.urandom(LARGE + 77)
    (folder / "sub").mkdir()
    (folder / "sub" / "large file.bin").write_bytes(content)
    await shown(console)
    coming = await downloaded(console, "sub/large file.bin")
    assert coming.suggested_filename == "large file.bin"
    await coming.save_as(tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == content
    await expect(console.at("files-said")).to_have_text("large file.bin is in your downloads.")


async def test_a_folder_comes_as_an_archive(console: Console, folder: Path, tmp_path: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "one.txt").write_text("one")
    await shown(console)
    for path, name, inside in (("sub", "sub.tar", "./one.txt"), ("", "f1.tar", "./sub/one.txt")):
        coming = await downloaded(console, path)
        assert coming.suggested_filename == name
        await coming.save_as(tmp_path / name)
        with tarfile.open(tmp_path / name) as tar:
            file = tar.extractfile(inside)
            assert file is not None
            assert file.read() == b"one"


async def test_files_and_a_folder_go_to_the_agent(console: Console, folder: Path, tmp_path: Path) -> None:
    chosen, large = tmp_path / "chosen", os.urandom(LARGE)
    (chosen / "deep" / ("n" * 120)).mkdir(parents=True)
    (chosen / "deep" / ("n" * 120) / "é.txt").write_text("deep")
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "large.bin").write_bytes(large)
    (folder / "sub").mkdir()
    await shown(console)
    await choose(console, "upload-files", [tmp_path / "a.txt", tmp_path / "large.bin"])
    await expect(console.at("files-said")).to_have_text("2 files uploaded.")
    assert (folder / "a.txt").read_text() == "a"
    assert (folder / "large.bin").read_bytes() == large
    await console.at("field-into").fill("sub")
    await choose(console, "upload-folder", chosen)
    await expect(console.at("files-said")).to_have_text("1 file uploaded into sub.")
    assert (folder / "sub" / "chosen" / "deep" / ("n" * 120) / "é.txt").read_text() == "deep"


async def test_what_is_wrong_with_a_path_is_said(console: Console, folder: Path, tmp_path: Path) -> None:
    console.forgiven = REFUSED
    (folder / "file").write_text("in the way")
    (tmp_path / "large.bin").write_bytes(bytes(LARGE))  # of which most is on its way when it is refused
    os.mkfifo(folder / "pipe")
    await shown(console)
    for path, words in (("nothing", "there is no 'nothing'"), ("pipe", "neither a file nor a folder")):
        await console.at("field-from").fill(path)
        await console.at("download").click()
        await expect(console.at("problem")).to_contain_text(words)
    for path, words in (("nowhere", "there is no 'nowhere'"), ("file", "'file' is not a folder")):
        await console.at("field-into").fill(path)
        await choose(console, "upload-files", tmp_path / "large.bin")
        await expect(console.at("problem")).to_contain_text(words)


@pytest.fixture
async def halting(console: Console, sac: HttpSac, tmp_path: Path) -> AsyncIterator[Path]:
    """The folder of the agent ``f1``, whose tar halts in its middle, and fails once there is a file ``go``."""
    folder = tmp_path / "agent"
    (folder / "bin").mkdir(parents=True)
    (folder / "slow.bin").write_bytes(os.urandom(8 * 1024 * 1024))
    (folder / "bin" / "tar").write_text(HALTING_TAR)
    (folder / "bin" / "tar").chmod(0o755)
    path = f"{folder}/bin:{os.environ['PATH']}"
    await sac.agents.create("f1", {"runtime": "shell", "workspace": {"folder": str(folder)}, "env": {"PATH": path}})
    await sac.agents.wait("f1", timeout=30)
    yield folder
    await console.go("agents")  # the page of an agent that goes asks for what has gone
    await sac.agents.delete("f1")
    await sac.agents.wait("f1", "absent", timeout=30)


async def begun(console: Console) -> None:
    """A download that goes on, of which a part has come."""
    await shown(console)
    await console.at("field-from").fill("slow.bin")
    await console.at("download").click()
    await expect(console.at("files-moving")).to_contain_text("MiB of 8.0 MiB", timeout=20_000)
    await expect(console.at("download")).to_be_disabled()


async def test_a_download_that_breaks_off_leaves_nothing_and_says_why(console: Console, halting: Path) -> None:
    console.forgiven = BROKE_OFF
    comings: list[str] = []
    console.page.on("download", lambda coming: comings.append(coming.suggested_filename))
    await begun(console)
    (halting / "go").touch()
    # a browser may drop the last bytes of an answer that is cut off, and why it was cut off with them
    why = re.compile("slow.bin: tar: the disk fell off|It broke off on its way")
    await expect(console.at("problem")).to_contain_text(why, timeout=20_000)
    await expect(console.at("files-moving")).to_have_count(0)
    assert comings == []


async def test_cancelling_ends_the_command_in_the_agent(console: Console, halting: Path, sac: HttpSac) -> None:
    console.forgiven = BROKE_OFF
    await begun(console)
    await console.at("files-cancel").click()
    await expect(console.at("files-said")).to_contain_text("Cancelled.")

    async def ended() -> bool:
        return (await sac.exec("f1", ["pgrep", "-f", "bin/tar -chf - ./slow.bin"])).code == 1

    await until(ended)
    await expect(console.at("download")).to_be_enabled()


async def test_a_stopped_agent_has_no_files_to_move(console: Console, folder: Path, sac: HttpSac) -> None:
    await shown(console)
    await sac.agents.stop("f1")
    await expect(console.at("download")).to_be_disabled(timeout=20_000)
    await expect(console.at("upload-files")).to_be_disabled()
    await expect(console.at("files-said")).to_contain_text("while the agent runs")
