"""Tar archives made and looked into by tests."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

PIECE = 100_000


class Entry(NamedTuple):
    """What an archive says of a name; owners are nobody's concern."""

    type: bytes
    mode: int
    mtime: int
    link: str
    data: bytes


def entry(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """One entry, a file if nothing else is said."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o644
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """The bytes of an archive with just these entries, as they are."""
    made = io.BytesIO()
    with tarfile.open(
        fileobj=made, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def entries(data: bytes) -> dict[str, Entry]:
    """What is in an archive, by name without the dot at its beginning."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8", errors="surrogateescape") as tar:
        for info in tar:
            file = tar.extractfile(info) if info.isreg() else None
            held = file.read() if file else b""
            name = info.name.removeprefix("./")
            found[name] = Entry(info.type, info.mode & 0o7777, int(info.mtime), info.linkname, held)
    return found


async def stream(data: bytes, piece: int = PIECE) -> AsyncIterator[bytes]:
    """Bytes, piece by piece."""
    for start in range(0, len(data), piece):
        yield data[start : start + piece]


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    """All pieces."""
    return b"".join([piece async for piece in pieces])


def zeros(count: int, name: str = "zeros") -> Iterable[bytes]:
    """An archive of one file with so many zeros, without holding it."""
    info = tarfile.TarInfo(name)
    info.size = count
    yield info.tobuf(tarfile.GNU_FORMAT)
    block = bytes(256 * 1024)
    for start in range(0, count, len(block)):
        yield block[: count - start]
    yield bytes(-count % 512 + 1024)
