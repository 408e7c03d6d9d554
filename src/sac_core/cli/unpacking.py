"""Extracting an archive that comes from an agent, and may be made to do harm, on the user's machine.

On top of `tarfile`'s filter ``data``: nothing is written through a link, because links are made last and folders that
are links are refused; a link's target may go up only at its beginning, so that no row of links leads out; each file is
written under another name first, so that what was there is replaced whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from sac_core.cli.tarring import PIECE, Source
from sac_core.errors import ConfigurationError, InvalidError, LostError

_MOST_LINKS = 200_000


def unpack_file(source: Source, place: str) -> None:
    """The one file of an archive, as ``place``."""

    def write(info: tarfile.TarInfo, data: IO[bytes]) -> None:
        with _explained(place):
            _write(data, place, info)

    _only_file(source, write)


def unpack_data(source: Source, write: Callable[[bytes], None]) -> None:
    """What the one file of an archive holds."""

    def pass_on(info: tarfile.TarInfo, data: IO[bytes]) -> None:
        while piece := data.read(PIECE):
            write(piece)

    _only_file(source, pass_on)


def unpack_folder(source: Source, root: str) -> None:
    """All of an archive below the folder ``root``, which is made when it is not there."""
    with _opened(source) as tar:
        _Tree(root).fill(tar, source)


def _only_file(source: Source, take: Callable[[tarfile.TarInfo, IO[bytes]], None]) -> None:
    found = 0
    with _opened(source) as tar:
        for info in _entries(tar, source):
            found += 1
            _take(info, tar, source, take)
    if found != 1:
        raise LostError("the archive does not hold one file")


def _take(
    info: tarfile.TarInfo, tar: tarfile.TarFile, source: Source, take: Callable[[tarfile.TarInfo, IO[bytes]], None]
) -> None:
    if not info.isreg() or info.issparse():
        raise refused(info, "a file was asked for, and this is none")
    take(_filtered(info, "/"), _data(tar, info, source))


class _Tree:
    """The folder that an archive is extracted to."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders: list[tuple[str, int, float]] = []
        self._links: list[tuple[tuple[str, ...], str]] = []
        self._sure = ""

    def fill(self, tar: tarfile.TarFile, source: Source) -> None:
        """Files and folders as they come, then links, then what would have changed meanwhile."""
        made = not os.path.lexists(self._root)
        self._folder(())
        for info in _entries(tar, source):
            parts = _parts(info, info.name)
            if parts or (made and info.isdir()):
                self._add(parts, info, tar, source)
        for parts, target in self._links:
            self._link(parts, target)
        for place, mode, time in reversed(self._folders):
            with _explained(place):
                os.chmod(place, mode)
                _set_time(place, time)

    def _add(self, parts: tuple[str, ...], info: tarfile.TarInfo, tar: tarfile.TarFile, source: Source) -> None:
        safe = _filtered(info, self._root)
        if info.isdir():
            self._folders.append((self._folder(parts), info.mode & 0o755 | 0o700, info.mtime))
        elif not parts or info.issparse():
            raise refused(info, "it is not what it should be")
        elif info.issym():
            self._remember(parts, info)
        elif info.islnk():
            self._same(parts, _parts(info, info.linkname), info)
        else:
            place = self._place(parts)
            with _explained(place):
                _write(_data(tar, info, source), place, safe)

    def _folder(self, parts: tuple[str, ...]) -> str:
        """A folder below the root, made when it is not there; a link to one is none."""
        place = os.path.join(self._root, *parts)
        if self._sure == place or self._sure.startswith(f"{place}/"):
            return place
        for depth in range(len(parts) + 1):
            _make_folder(os.path.join(self._root, *parts[:depth]), 0o700 if depth else 0o777)
        self._sure = place
        return place

    def _place(self, parts: tuple[str, ...]) -> str:
        return os.path.join(self._folder(parts[:-1]), parts[-1])

    def _remember(self, parts: tuple[str, ...], info: tarfile.TarInfo) -> None:
        """A link to be made; its target is inside whatever the links on its way turn out to be."""
        steps = [step for step in info.linkname.split("/") if step not in ("", ".")]
        down = [step for step in steps if step != ".."]
        up = len(steps) - len(down)
        if info.linkname.startswith("/") or steps[up:] != down or up >= len(parts) or "\0" in info.linkname:
            raise refused(info, f"it is a link to {info.linkname!r}, which may be outside")
        if len(self._links) >= _MOST_LINKS:
            raise refused(info, f"an archive has at most {_MOST_LINKS} links")
        self._links.append((parts, info.linkname))

    def _link(self, parts: tuple[str, ...], target: str) -> None:
        place = self._place(parts)
        with _explained(place):
            with suppress(FileNotFoundError):
                os.unlink(place)
            os.symlink(target, place)

    def _same(self, parts: tuple[str, ...], other: tuple[str, ...], info: tarfile.TarInfo) -> None:
        """A second name of a file that is there."""
        if not other or other == parts:
            raise refused(info, "it is a second name of itself or of the whole folder")
        source, place = self._place(other), self._place(parts)
        with _explained(place):
            if not stat.S_ISREG(os.lstat(source).st_mode):
                raise refused(info, "it is a second name of what is no file")
            with suppress(FileNotFoundError):
                os.unlink(place)
            os.link(source, place, follow_symlinks=False)


def refused(info: tarfile.TarInfo, why: str) -> InvalidError:
    """An entry that is not extracted, nor what follows it."""
    return InvalidError(f"{info.name!r} is refused: {why}", reason="Refused", hint="what came before it is there")


@contextmanager
def _opened(source: Source) -> Iterator[tarfile.TarFile]:
    try:
        options: dict[str, Any] = {"fileobj": source, "encoding": "utf-8", "errors": "surrogateescape"}
        with tarfile.open(mode="r:", **options) as tar:
            yield tar
        source.finish()
    except (tarfile.TarError, ValueError, RecursionError) as error:  # `tarfile` calls itself for each description
        raise LostError(f"the archive is damaged: {error}") from None


def _entries(tar: tarfile.TarFile, source: Source) -> Iterator[tarfile.TarInfo]:
    source.expect_header()
    while (info := tar.next()) is not None:
        yield info
        tar.members.clear()  # type: ignore[attr-defined]  # else it remembers every entry
        source.expect_header()


def _filtered(info: tarfile.TarInfo, root: str) -> tarfile.TarInfo:
    """The entry as `tarfile`'s filter ``data`` lets it pass."""
    data_filter = getattr(tarfile, "data_filter", None)
    if data_filter is None:
        raise ConfigurationError("this Python cannot extract archives safely", hint="use 3.11.4 or later")
    try:
        safe: tarfile.TarInfo = data_filter(info, root)
    except (tarfile.TarError, ValueError) as error:
        raise refused(info, str(error)) from None
    return safe


def _parts(info: tarfile.TarInfo, name: str) -> tuple[str, ...]:
    """A name below the root, part by part."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise refused(info, "its name leaves the folder")
    return parts


def _data(tar: tarfile.TarFile, info: tarfile.TarInfo, source: Source) -> IO[bytes]:
    source.expect_data()
    data = tar.extractfile(info)
    if data is None:
        raise refused(info, "it holds nothing")
    return data


def _make_folder(place: str, mode: int) -> None:
    with _explained(place):
        with suppress(FileExistsError):
            os.mkdir(place, mode)
        if not stat.S_ISDIR(os.lstat(place).st_mode):
            raise InvalidError(f"{place} is there and is no folder", reason="InTheWay", hint="remove it first")


def _write(data: IO[bytes], place: str, info: tarfile.TarInfo) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".sac-", dir=os.path.dirname(place) or ".")
    try:
        with open(handle, "wb") as file:
            shutil.copyfileobj(data, file, PIECE)
            os.fchmod(file.fileno(), info.mode)
        _set_time(temporary, info.mtime)
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise


def _set_time(place: str, time: float) -> None:
    with suppress(OverflowError, ValueError):  # a time that no clock shows
        os.utime(place, (time, time))


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidError(f"cannot write {place}: {error.strerror or error}", field="TARGET") from None
