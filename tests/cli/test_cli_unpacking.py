"""Archives that are made to do harm, extracted as `sac cp` does it: nothing outside of the target is touched."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import anyio
import pytest

from archives import archive, entry, stream
from sac_core.cli.tarring import Source, consume
from sac_core.cli.unpacking import unpack_data, unpack_file, unpack_folder
from sac_core.errors import InvalidError, LostError, SacError

Entries = tuple[tuple[tarfile.TarInfo, bytes], ...]
LINK, SAME, FOLDER = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
EVIL = b"evil"


def nothing(count: int) -> None:
    """Progress that nobody looks at."""


async def unpack(data: bytes, work: Callable[[Source], object]) -> None:
    with anyio.fail_after(30):
        await consume(stream(data), work, nothing)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder to extract to, beside one that must stay as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("precious")
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def untouched(target: Path) -> bool:
    outside = target.parent / "outside"
    around = {path.name for path in target.parent.iterdir()} <= {"outside", "target"}
    return around and os.listdir(outside) == ["precious"] and (outside / "precious").read_text() == "precious"


def plain(folder: Path) -> bool:
    """Whether it holds nothing but files and folders."""
    found = [os.lstat(path).st_mode for path in folder.rglob("*")]
    return all(stat.S_ISREG(mode) or stat.S_ISDIR(mode) for mode in found)


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


HOSTILE: dict[str, Entries] = {
    "a name that goes up": (entry("../outside/evil", EVIL),),
    "a name that goes up in its middle": (entry("a/../../outside/evil", EVIL),),
    "an absolute name": (entry("/outside/evil", EVIL),),
    "a link outwards": (entry("out", type=LINK, linkname="../outside"),),
    "an absolute link": (entry("out", type=LINK, linkname="/etc"),),
    "a file through a link": (entry("out", type=LINK, linkname="../outside"), entry("out/evil", EVIL)),
    "a file through a link inside": (
        entry("d/up", type=LINK, linkname=".."),
        entry("out", type=LINK, linkname="d/up/../outside"),
    ),
    "a link to the target itself and on": (
        entry("a/b/up", type=LINK, linkname="../.."),
        entry("a/b/out", type=LINK, linkname="up/../outside"),
    ),
    "a link that is replaced by a folder": (
        entry("out", type=LINK, linkname="."),
        entry("out", type=LINK, linkname="../outside"),
        entry("out/evil", EVIL),
    ),
    "a second name of what is outside": (entry("same", type=SAME, linkname="../outside/precious"),),
    "a second name by an absolute path": (entry("same", type=SAME, linkname="/etc/passwd"),),
    "a second name of nothing": (entry("same", type=SAME, linkname="nowhere"),),
    "a second name of itself": (entry("same", type=SAME, linkname="same"),),
    "a pipe": (entry("pipe", type=tarfile.FIFOTYPE),),
    "a device": (entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),),
    "a disk": (entry("disk", type=tarfile.BLKTYPE, devmajor=8),),
    "a type that nobody knows": (entry("what", type=b"Q"),),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_harm_is_refused_and_nothing_outside_is_touched(target: Path, case: str) -> None:
    with pytest.raises(SacError) as caught:
        await unpack(archive(entry("first", b"1"), *HOSTILE[case]), partial(unpack_folder, root=str(target)))
    assert isinstance(caught.value, InvalidError)
    assert untouched(target)
    assert (target / "first").read_text() == "1"
    assert plain(target)


@pytest.mark.parametrize(("where", "reason"), [("../outside", "Refused"), ("inside", "InTheWay")])
async def test_a_folder_that_is_a_link_is_not_written_through(target: Path, where: str, reason: str) -> None:
    (target / "inside").mkdir()
    (target / "link").symlink_to(where)
    with pytest.raises(InvalidError) as caught:
        await unpack(archive(entry("link/evil", EVIL)), partial(unpack_folder, root=str(target)))
    assert caught.value.reason == reason
    assert untouched(target)
    assert contents(target) == {"inside", "link"}


async def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(target: Path) -> None:
    (target / "dear").write_text("dear")
    (target / "link").symlink_to("dear")
    (target / "precious").symlink_to("../outside/precious")
    await unpack(archive(entry("link", EVIL)), partial(unpack_folder, root=str(target)))
    assert (target / "dear").read_text() == "dear"
    assert (target / "link").read_bytes() == EVIL
    assert not (target / "link").is_symlink()
    with pytest.raises(InvalidError):
        await unpack(archive(entry("precious", EVIL)), partial(unpack_folder, root=str(target)))
    assert untouched(target)


async def test_links_inside_are_made(target: Path) -> None:
    made = archive(
        entry("bin/run", type=LINK, linkname="../lib/run.sh"),
        entry("lib/run.sh", b"run"),
        entry("current", type=LINK, linkname="./lib"),
        entry("lib/gone", type=LINK, linkname="not-there"),
        entry("lib/second", type=SAME, linkname="./lib/run.sh"),
    )
    for _ in range(2):  # also over what is there
        await unpack(made, partial(unpack_folder, root=str(target)))
        assert (target / "bin" / "run").read_text() == "run"
        assert os.readlink(target / "bin" / "run") == "../lib/run.sh"
        assert (target / "current").is_symlink()
        assert os.readlink(target / "lib" / "gone") == "not-there"
        assert (target / "lib" / "second").samefile(target / "lib" / "run.sh")


async def test_modes_are_kept_but_for_what_gives_rights_to_others(target: Path) -> None:
    made = archive(
        entry("run", b"x", mode=0o6777),
        entry("private", b"x", mode=0o600, mtime=1_000_000_000),
        entry("closed", type=FOLDER, mode=0o500, mtime=1_000_000_001),
        entry("closed/in", b"x"),
        entry("late", b"x", mtime=1 << 70),
    )
    await unpack(made, partial(unpack_folder, root=str(target / "new")))
    assert {path.name: path.stat().st_mode & 0o7777 for path in (target / "new").iterdir()} == {
        "run": 0o755,
        "private": 0o600,
        "closed": 0o700,
        "late": 0o644,
    }
    assert (target / "new" / "private").stat().st_mtime == 1_000_000_000
    assert (target / "new" / "closed").stat().st_mtime == 1_000_000_001


@pytest.mark.parametrize("type", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
async def test_a_description_of_gigabytes_is_not_read(target: Path, type: bytes) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        info = tarfile.TarInfo("x")
        info.type, info.size = type, 1 << 40
        yield info.tobuf(tarfile.GNU_FORMAT)
        while True:
            sent += 65536
            yield b"1 a=b\n" * 10922 + b"1234"

    with pytest.raises(InvalidError, match="too long"), anyio.fail_after(30):
        await consume(endless(), partial(unpack_folder, root=str(target)), nothing)
    assert sent < 4 * 1024 * 1024


async def test_descriptions_of_descriptions_without_end_are_damage(target: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type = tarfile.GNUTYPE_LONGNAME
    nested = info.tobuf(tarfile.GNU_FORMAT) * 1500 + archive(entry("x"))
    with pytest.raises(LostError, match="damaged"):
        await unpack(nested, partial(unpack_folder, root=str(target)))
    assert contents(target) == set()


async def test_a_name_deeper_than_any_folder_is_named_in_the_error(target: Path) -> None:
    with pytest.raises(InvalidError, match=r"cannot write .*too long"):
        await unpack(archive(entry("/".join(["d" * 50] * 2000))), partial(unpack_folder, root=str(target)))
    assert untouched(target)


async def test_a_small_archive_of_a_huge_sparse_file_is_refused(target: Path) -> None:
    info, _ = entry("huge")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\0"  # its size when it is unpacked
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(InvalidError):
        await unpack(bytes(header) + bytes(1024), partial(unpack_folder, root=str(target)))
    assert contents(target) == set()


async def test_an_archive_that_breaks_off_is_no_copy(target: Path) -> None:
    whole = archive(entry("one", b"1" * 5000), entry("two", b"2" * 5000))
    for size in (600, 3000, 7000):
        with pytest.raises(LostError):
            await unpack(whole[:size], partial(unpack_folder, root=str(target)))
    assert contents(target) <= {"one"}


async def test_what_follows_the_end_is_damage(target: Path) -> None:
    for tail in (b"x" * 10, archive(entry("more", b"x"))):
        with pytest.raises(LostError, match="damaged"):
            await unpack(archive(entry("one", b"1")) + tail, partial(unpack_folder, root=str(target)))


async def test_the_error_of_the_stream_is_told_and_not_what_came_of_it(target: Path) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield archive(entry("one", b"1" * 50_000))[:9000]
        raise InvalidError("it is not readable", reason="NotReadable")

    with pytest.raises(InvalidError, match="not readable"):
        await consume(cut(), partial(unpack_folder, root=str(target)), nothing)
    assert contents(target) == set()


@pytest.mark.parametrize(
    "made",
    [
        (entry("d", type=FOLDER),),
        (entry("l", type=LINK, linkname="/etc/passwd"),),
        (entry("p", type=tarfile.FIFOTYPE),),
        (entry("s", type=SAME, linkname="/etc/passwd"),),
        (entry("one", b"1"), entry("two", b"2")),
        (),
    ],
)
async def test_who_asked_for_a_file_gets_one_or_an_error(target: Path, made: Entries) -> None:
    place = target / "file"
    with pytest.raises(SacError):
        await unpack(archive(*made), partial(unpack_file, place=str(place)))
    assert untouched(target)
    assert not place.is_symlink()
    assert not place.is_dir()


async def test_a_file_gets_the_name_that_was_asked_for(target: Path) -> None:
    await unpack(archive(entry("../../etc/passwd", b"data")), partial(unpack_file, place=str(target / "file")))
    assert (target / "file").read_bytes() == b"data"
    assert contents(target) == {"file"}


async def test_what_cannot_be_written_is_named_and_leaves_nothing(target: Path) -> None:
    (target / "f").mkdir()
    with pytest.raises(InvalidError) as caught:
        await unpack(archive(entry("f", b"x")), partial(unpack_folder, root=str(target)))
    assert (caught.value.field, f"{target}/f" in caught.value.message) == ("TARGET", True)
    assert contents(target) == {"f"}


async def test_leaving_in_the_middle_leaves_no_half_file(target: Path) -> None:
    begun = anyio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield archive(entry("half", bytes(1_000_000)))[:500_000]
        begun.set()
        await anyio.sleep_forever()

    async def take() -> None:
        await consume(slow(), partial(unpack_folder, root=str(target)), nothing)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take)
            await begun.wait()
            tasks.cancel_scope.cancel()
    assert contents(target) == set()


async def test_a_file_that_is_shown_is_not_written(target: Path) -> None:
    shown = bytearray()
    await unpack(archive(entry("f", b"data" * 50_000)), partial(unpack_data, write=shown.extend))
    assert shown == b"data" * 50_000
    assert contents(target) == set()
