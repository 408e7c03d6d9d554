"""A stream to a holder on this machine: to the socket in its folder, however long the path is."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from anyio.abc import ByteStream

from sac_core.errors import UnavailableError

_DEADLINE = 5.0


async def connect_holder(folder: Path) -> ByteStream:
    """Connect to ``holder.sock``; raises OSError when nobody listens there, `UnavailableError` after 5 s."""
    with _short_path(folder) as path:
        try:
            with anyio.fail_after(_DEADLINE):
                return await anyio.connect_unix(path)
        except TimeoutError:
            raise UnavailableError("the holder accepts no connection", retry_after=1) from None


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """A name for the socket that fits into an address: about 100 bytes are allowed."""
    if sys.platform.startswith("linux"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{handle}/holder.sock"
        finally:
            os.close(handle)
        return
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sac") as near:
        link = Path(near) / "b"
        link.symlink_to(folder)
        yield str(link / "holder.sock")
