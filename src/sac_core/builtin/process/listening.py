"""Who listens on which port of this machine, as /proc tells it."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTENS: Final = "0A"


class Listener(NamedTuple):
    """A listening socket: an address at which it is reached, and the number by which its owner is known."""

    address: str
    inode: int


def listeners(port: int) -> list[Listener]:
    """All that listen on a TCP port."""
    return [listener for table in _TABLES for listener in _of(table, f":{port:04X}")]


def _of(table: str, suffix: str) -> Iterator[Listener]:
    with suppress(OSError):  # a machine without IPv6
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and fields[1].endswith(suffix):
                yield Listener(_address(fields[1].removesuffix(suffix)), int(fields[9]))


def _address(text: str) -> str:
    """Words of 32 bits, each in the machine's own order; what listens everywhere is reached on loopback."""
    words = [bytes.fromhex(text[start : start + 8]) for start in range(0, len(text), 8)]
    packed = b"".join(int.from_bytes(word, "big").to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(packed)
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return str(address)


def sockets_of(pids: Iterable[int]) -> set[int]:
    """The numbers of all sockets that processes have open, as far as we may look."""
    return {number for pid in pids for number in _sockets(pid)}


def _sockets(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    yield int(target[8:-1])
