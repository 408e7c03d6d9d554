"""Files of agents through the one surface, embedded and over HTTP, by the tools of real bodies."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import shutil
import sys
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from archives import archive, entries, entry, joined, stream, zeros
from live_server import until
from sac_core.contracts.sac import Sac
from sac_core.errors import (
    DeadlineError,
    InvalidError,
    LostError,
    NotFoundError,
    NotReadyError,
    SacError,
    UnavailableError,
    UnsupportedError,
)
from sac_core.service.archives import moving

MIB = 1024 * 1024
ODD = "odd \udce9\udcff\n'\"\\*\t$(x)"
"""Bytes that are no UTF-8, and what shells take for something else."""
PYTHON = os.path.realpath(sys.executable)
TOOLS = ("tar", "python3", "busybox")


@pytest.fixture
async def agent(sac: Sac) -> str:
    return await running(sac, "a1")


async def running(sac: Sac, name: str, **spec: Any) -> str:
    await sac.agents.create(name, spec)
    await sac.agents.wait(name, timeout=30)
    return name


async def shell(sac: Sac, agent: str, script: str) -> str:
    done = await sac.exec(agent, ["/bin/sh", "-c", script])
    assert done.code == 0, done.stderr
    return done.stdout


async def with_tools(sac: Sac, folder: Path, **programs: str) -> str:
    """An agent that finds no other programs than these: a name and where it is, or a shell script."""
    place(folder, programs)
    return await running(sac, "tooled", env={"PATH": str(folder)})


def place(folder: Path, programs: dict[str, str]) -> None:
    folder.mkdir()
    for name, what in programs.items():
        if what.startswith("/") and " " not in what:
            (folder / name).symlink_to(what)
        else:
            (folder / name).write_text(f"#!/bin/sh\n{what}\n")
            (folder / name).chmod(0o755)


def program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin:/usr/local/bin") or shutil.which(name)
    if found is None:
        pytest.skip(f"programs: {name} is not installed")
    return os.path.realpath(found)


async def with_tool(sac: Sac, folder: Path, tool: str) -> str:
    """An agent with this one of `TOOLS`."""
    if tool == "busybox":
        return await with_tools(sac, folder, sh=program("busybox"), tar=program("busybox"))
    if tool == "python3":
        return await with_tools(sac, folder, sh="/bin/sh", python3=PYTHON)
    return await with_tools(sac, folder, sh="/bin/sh", tar=program("tar"))


def sample() -> bytes:
    """A folder with all that a folder may have."""
    deep = "/".join(["a folder whose name is rather long, so that no header has room for it"] * 4)
    return archive(
        entry("empty", type=tarfile.DIRTYPE, mode=0o750, mtime=1_000_000_000),
        entry("run.sh", b"#!/bin/sh\necho it runs\n", mode=0o755, mtime=1_234_567_890),
        entry("private", b"x", mode=0o600, mtime=1),
        entry("nothing", mtime=1_700_000_000),
        entry(ODD, b"\0\r\n\xff" * 10, mtime=1_700_000_001),
        entry("-rf", b"an option?", mtime=1_700_000_002),
        entry("link", type=tarfile.SYMTYPE, linkname=f"./{ODD}", mode=0o777, mtime=1_700_000_003),
        entry(deep, b"deep", mtime=1_700_000_004),
        entry("big", random.Random(1).randbytes(3 * MIB + 17), mtime=1_700_000_005),
    )


def kept(data: bytes) -> dict[str, object]:
    """What must be the same again: files and links whole, folders without their times."""
    found = entries(data)
    return {
        name: one._replace(mtime=0) if one.type in (tarfile.DIRTYPE, tarfile.SYMTYPE) else one
        for name, one in found.items()
        if one.type != tarfile.DIRTYPE or name == "empty"
    }


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_folder_goes_in_and_comes_back_as_it_was(sac: Sac, tmp_path: Path, tool: str) -> None:
    agent = await with_tool(sac, tmp_path / "bin", tool)
    await shell(sac, agent, "/bin/mkdir 'new folder'")
    await sac.files.put(agent, "new folder", stream(sample()))
    assert await shell(sac, agent, "'new folder/run.sh'") == "it runs\n"
    assert kept(await joined(sac.files.get(agent, "new folder"))) == kept(sample())
    back = entries(await joined(sac.files.get(agent, f"new folder/{ODD}")))
    assert [one.data for one in back.values()] == [b"\0\r\n\xff" * 10]


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_link_is_followed_where_it_is_asked_for(sac: Sac, tmp_path: Path, tool: str) -> None:
    agent = await with_tool(sac, tmp_path / "bin", tool)
    await shell(sac, agent, "/bin/mkdir d; echo in > d/f; /bin/ln -s d/f one; /bin/ln -s d all; /bin/ln -s gone none")
    assert entries(await joined(sac.files.get(agent, "one")))["one"].data == b"in\n"
    assert entries(await joined(sac.files.get(agent, "all")))["f"].data == b"in\n"
    assert (await sac.files.stat(agent, "all")).type == "folder"
    with pytest.raises(NotFoundError, match="none"):
        await sac.files.stat(agent, "none")


@pytest.mark.parametrize("tool", TOOLS)
async def test_what_is_wrong_with_a_path_is_said_with_the_path(sac: Sac, tmp_path: Path, tool: str) -> None:
    agent = await with_tool(sac, tmp_path / "bin", tool)
    await shell(sac, agent, "echo x > file; /usr/bin/mkfifo pipe")
    assert [(await sac.files.stat(agent, path)).type for path in ("file", ".", "pipe")] == ["file", "folder", "special"]

    async def gets(path: str) -> SacError:
        with pytest.raises(SacError) as caught:
            await joined(sac.files.get(agent, path))
        return caught.value

    async def puts(path: str, tar: bytes = archive(entry("f", b"new"))) -> SacError:
        with pytest.raises(SacError) as caught:
            await sac.files.put(agent, path, stream(tar))
        return caught.value

    missing = await gets(f"no/{ODD}")
    assert isinstance(missing, NotFoundError)
    assert (missing.reason, missing.field) == ("FileNotFound", "path")
    assert "no/odd" in missing.message
    assert (await gets("pipe")).reason == "Special"
    assert (await puts("nowhere")).reason == "FileNotFound"
    wrong = await puts("file")
    assert (wrong.reason, wrong.field, "file" in wrong.message) == ("NotAFolder", "path", True)
    assert (await puts(".", b"this is no archive at all" * 100)).reason == "NotAnArchive"
    assert (await puts(".", sample()[:MIB])).reason == "NotAnArchive"
    if tool != "busybox":  # which takes the dots away
        assert (await puts(".", archive(entry("../out", b"x")))).reason == "Refused"
    assert (await puts(".", archive(entry("file/below", b"x")))).reason == "InTheWay"


async def test_a_compressed_archive_is_refused(sac: Sac, agent: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await sac.files.put(agent, ".", stream(gzip.compress(sample())))
    assert caught.value.reason == "NotAnArchive"


async def test_what_may_not_be_written_is_said(sac: Sac, agent: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await sac.files.put(agent, "/sys", stream(archive(entry("f", b"x"))))
    assert (caught.value.reason, caught.value.field) == ("NotWritable", "path")
    assert "/sys" in caught.value.message


@pytest.mark.skipif(os.getuid() != 0, reason="faults: only root may mount a small disk")
async def test_a_full_disk_is_said(sac: Sac, agent: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = await anyio.run_process(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False)
    if done.returncode != 0:
        pytest.skip("faults: no small disk can be mounted here")
    try:
        with pytest.raises(UnavailableError) as caught:
            await sac.files.put(agent, str(disk), stream(archive(entry("big", bytes(8 * MIB)))))
        assert (caught.value.reason, caught.value.field) == ("DiskFull", "path")
    finally:
        await anyio.run_process(["umount", "--lazy", str(disk)])


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000, "\ud800"])
async def test_what_is_no_path_is_refused(sac: Sac, agent: str, path: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await sac.files.stat(agent, path)
    assert caught.value.field in ("path", "query")


async def test_who_does_not_run_has_no_files_to_give(sac: Sac, agent: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        await sac.files.stat("nobody", ".")
    assert caught.value.reason == "NotFound"
    await sac.agents.stop(agent)
    await sac.agents.wait(agent, "Stopped", timeout=30)
    with pytest.raises(NotReadyError):
        await joined(sac.files.get(agent, "."))
    with pytest.raises(NotReadyError):
        await sac.files.put(agent, ".", stream(sample()))


async def test_a_body_without_any_tool_says_what_is_missing(sac: Sac, tmp_path: Path) -> None:
    agent = await with_tools(sac, tmp_path / "bin", sh="/bin/sh")
    for attempt in (joined(sac.files.get(agent, ".")), sac.files.put(agent, ".", stream(sample()))):
        with pytest.raises(UnsupportedError, match="neither tar nor python3"):
            await attempt


async def test_a_body_without_a_shell_does_it_with_python(sac: Sac, tmp_path: Path) -> None:
    agent = await with_tools(sac, tmp_path / "bin", python3=PYTHON)
    await sac.files.put(agent, ".", stream(sample()))
    assert kept(await joined(sac.files.get(agent, "."))).items() >= kept(sample()).items()
    assert (await sac.files.stat(agent, "run.sh")).type == "file"


async def test_nothing_of_the_agents_variables_changes_what_tar_does(sac: Sac) -> None:
    agent = await running(sac, "a2", env={"TAR_OPTIONS": "--exclude=*", "CDPATH": "/usr", "LC_ALL": "C.UTF-8"})
    await sac.files.put(agent, ".", stream(archive(entry("share", b"mine"))))
    assert entries(await joined(sac.files.get(agent, ".")))["share"].data == b"mine"


async def test_100_megabytes_in_and_back_are_identical(sac: Sac, agent: str) -> None:
    data = random.Random(2).randbytes(MIB) * 100
    await sac.files.put(agent, ".", stream(archive(entry("much", data)), piece=MIB))
    digest = hashlib.sha256()
    back = entries(await joined(sac.files.get(agent, "much")))["much"].data
    digest.update(back)
    assert digest.hexdigest() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("sac", ["http"], indirect=True)
async def test_a_gigabyte_passes_in_little_memory(sac: Sac, tmp_path: Path) -> None:
    """Half of it each way, through client, server and service, all in this process."""
    agent = await with_tools(
        sac, tmp_path / "bin", sh="/bin/sh", tar='case "$1" in -x*) exec /bin/cat >/dev/null;; esac; exec /bin/tar "$@"'
    )
    await shell(sac, agent, "/usr/bin/truncate -s 512M sparse")
    process, passed = psutil.Process(), 0
    before = highest = process.memory_info().rss

    async def watched(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        nonlocal passed, highest
        async for piece in pieces:
            passed += len(piece)
            if passed % (8 * MIB) < len(piece):
                highest = max(highest, process.memory_info().rss)
            yield piece

    async def made() -> AsyncIterator[bytes]:
        for piece in zeros(512 * MIB):
            yield piece

    async for _ in watched(sac.files.get(agent, "sparse")):
        pass
    await sac.files.put(agent, ".", watched(made()))
    assert passed >= 1024 * MIB
    assert highest - before < 64 * MIB


async def helpers(sac: Sac, agent: str) -> Callable[[], list[psutil.Process]]:
    """Who runs in the body, asked from outside of it."""
    holder = psutil.Process(int(await shell(sac, agent, "echo $PPID")))
    return lambda: [one for one in holder.children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]


async def somebody(look: Callable[[], list[psutil.Process]]) -> None:
    async def there() -> bool:
        return bool(look())

    await until(there, seconds=30)


async def alone(look: Callable[[], list[psutil.Process]]) -> None:
    async def nobody() -> bool:
        return not look()

    await until(nobody, seconds=30)


async def test_leaving_in_the_middle_leaves_nothing_in_the_body(sac: Sac, agent: str) -> None:
    await shell(sac, agent, "truncate -s 4G sparse")
    look = await helpers(sac, agent)
    async with aclosing(sac.files.get(agent, "sparse")) as pieces:  # type: ignore[type-var]
        await anext(pieces)
        await somebody(look)
    await alone(look)

    async def endless() -> AsyncIterator[bytes]:
        yield archive(entry("half", bytes(MIB)))[: MIB // 2]
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sac.files.put, agent, ".", endless())
        await somebody(look)
        tasks.cancel_scope.cancel()
    await alone(look)


async def test_a_source_that_fails_ends_the_copy_with_its_own_error(sac: Sac, agent: str) -> None:
    look = await helpers(sac, agent)

    async def broken() -> AsyncIterator[bytes]:
        yield sample()[: 2 * MIB]
        raise ZeroDivisionError("the source's own")

    with pytest.raises(ZeroDivisionError):
        await sac.files.put(agent, ".", broken())
    await alone(look)


async def test_an_archive_that_cannot_be_read_to_its_end_is_cut_and_says_why(sac: Sac, tmp_path: Path) -> None:
    half = tmp_path / "half.tar"
    half.write_bytes(sample()[: 2 * MIB])
    fails = f'/bin/cat {half}; echo "tar: ./secret: Cannot open: Permission denied" >&2; exit 2'
    agent = await with_tools(sac, tmp_path / "bin", sh="/bin/sh", tar=fails)
    with pytest.raises(InvalidError) as caught:
        await joined(sac.files.get(agent, "."))
    assert caught.value.reason == "NotReadable"
    assert "./secret" in caught.value.message


async def test_a_file_that_changes_meanwhile_is_no_error(sac: Sac, tmp_path: Path) -> None:
    whole = tmp_path / "whole.tar"
    whole.write_bytes(sample())
    grumbles = f'/bin/cat {whole}; echo "tar: ./log: file changed as we read it" >&2; exit 1'
    agent = await with_tools(sac, tmp_path / "bin", sh="/bin/sh", tar=grumbles)
    assert kept(await joined(sac.files.get(agent, "."))) == kept(sample())


async def test_a_body_that_says_all_is_well_and_sends_nothing_is_not_believed(sac: Sac, tmp_path: Path) -> None:
    agent = await with_tools(sac, tmp_path / "bin", sh="/bin/sh", tar="exit 0")
    with pytest.raises(LostError):
        await joined(sac.files.get(agent, "."))


async def test_what_stalls_is_ended(sac: Sac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await with_tools(sac, tmp_path / "bin", sh="/bin/sh", tar="exec /bin/sleep 3600")
    look = await helpers(sac, agent)
    monkeypatch.setattr(moving, "STALL", 0.5)
    with pytest.raises(DeadlineError):
        await joined(sac.files.get(agent, "."))
    await alone(look)
    with pytest.raises(DeadlineError):
        await sac.files.put(agent, ".", stream(sample()))
    await alone(look)


@pytest.mark.parametrize("sac", ["embedded"], indirect=True)
async def test_a_slow_reader_is_waited_for(sac: Sac, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await sac.files.put(agent, ".", stream(sample()))
    monkeypatch.setattr(moving, "STALL", 5.0)
    pieces = sac.files.get(agent, ".")
    data = await anext(pieces)
    await anyio.sleep(6)
    data += await joined(pieces)
    assert kept(data).items() >= kept(sample()).items()


@pytest.mark.parametrize(
    ("answer", "stall", "error"),
    [
        ("while :; do printf xxxxxxxx; /bin/sleep 0.01; done", 60.0, LostError),
        ("while :; do echo file; /bin/sleep 0.5; done", 1.0, DeadlineError),
        ("while :; do echo wait >&2; /bin/sleep 0.5; done", 1.0, DeadlineError),
    ],
)
async def test_an_answer_without_end_is_ended(
    sac: Sac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, stall: float, error: type[SacError]
) -> None:
    agent = await with_tools(sac, tmp_path / "bin", sh=answer)
    look = await helpers(sac, agent)
    monkeypatch.setattr(moving, "STALL", stall)
    with pytest.raises(error), anyio.fail_after(30):
        await sac.files.stat(agent, ".")
    await alone(look)


async def test_what_is_there_is_replaced_and_the_rest_stays(sac: Sac, agent: str) -> None:
    await shell(sac, agent, "mkdir d; echo old > d/f; echo stays > d/g; chmod 400 d/f")
    await sac.files.put(agent, ".", stream(archive(entry("d/f", b"new"))))
    assert await shell(sac, agent, "cat d/f d/g") == "newstays\n"
