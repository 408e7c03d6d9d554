"""Standard input and output as bytes, without blocking the event loop and without a thread that outlives it."""

from __future__ import annotations

import os

import anyio

STDIN, STDOUT, STDERR = 0, 1, 2
_PIECE = 4096
"""What a pipe that is ready to be written takes without blocking (PIPE_BUF)."""
_READ = 64 * 1024


async def read(fd: int) -> bytes:
    """Some bytes; empty at the end."""
    try:
        await anyio.wait_readable(fd)
    except PermissionError:  # a plain file: it is always ready
        await anyio.lowlevel.checkpoint()
    try:
        return os.read(fd, _READ)
    except OSError:  # a terminal that hung up
        return b""


async def write(fd: int, data: bytes) -> None:
    """All of ``data``; raises `BrokenPipeError` when nobody reads any more."""
    view = memoryview(data)
    while view:
        try:
            await anyio.wait_writable(fd)
        except PermissionError:
            await anyio.lowlevel.checkpoint()
        view = view[os.write(fd, view[:_PIECE]) :]
