"""Tar archives of what is on this machine: without owners, with modes and times, links as links."""

from __future__ import annotations

import os
import tarfile
import time
from collections.abc import Iterator
from typing import IO, Any

from sac_core.cli.tarring import PIECE, Sink
from sac_core.errors import InvalidError


def pack(path: str, name: str, sink: Sink) -> None:
    """What is at ``path``, a link there followed, as the entry ``name``; as ``.`` only what is in the folder."""
    with _open(sink) as tar:
        pending = [(os.path.realpath(path), name)]
        while pending:
            place, entry = pending.pop()
            _add(tar, place, entry)
            pending += reversed(list(_below(place, entry)))


def pack_bytes(file: IO[bytes], name: str, sink: Sink) -> None:
    """One file of what ``file`` holds."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = file.seek(0, os.SEEK_END), int(time.time()), 0o644
    file.seek(0)
    with _open(sink) as tar:
        tar.addfile(info, file)


def _open(sink: Sink) -> tarfile.TarFile:
    # GNU's form: every tar knows it, and names keep their bytes.
    options: dict[str, Any] = {"fileobj": sink, "encoding": "utf-8", "errors": "surrogateescape"}
    return tarfile.open(mode="w|", bufsize=PIECE, format=tarfile.GNU_FORMAT, **options)


def _add(tar: tarfile.TarFile, place: str, entry: str) -> None:
    try:
        info = tar.gettarinfo(place, entry)
        if info is None or entry == ".":  # a socket; the folder that is there already
            return
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        if info.isreg():
            with open(place, "rb") as file:
                tar.addfile(info, file)
        elif info.isdir() or info.issym() or info.islnk():
            tar.addfile(info)
        else:
            raise InvalidError(f"{place} is neither a file nor a folder", reason="Special", field="SOURCE")
    except OSError as error:
        raise InvalidError(f"cannot read {place}: {error.strerror or error}", field="SOURCE") from None
    tar.members.clear()  # type: ignore[attr-defined]  # else it remembers every entry


def _below(place: str, entry: str) -> Iterator[tuple[str, str]]:
    """What is in a folder, by name; nothing for what is none."""
    if os.path.islink(place) or not os.path.isdir(place):
        return
    try:
        names = sorted(os.listdir(place))
    except OSError as error:
        raise InvalidError(f"cannot read {place}: {error.strerror}", field="SOURCE") from None
    for name in names:
        yield os.path.join(place, name), name if entry == "." else f"{entry}/{name}"
