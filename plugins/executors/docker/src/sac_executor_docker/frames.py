"""The frames in which the engine sends stdout and stderr apart: a stream's number, a length, the bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEADER = struct.Struct(">BxxxL")


class Frames:
    """Takes what was read; gives pieces of frames as they come, for a frame may be large."""

    def __init__(self) -> None:
        self._head = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, memoryview]]:
        """The pieces in ``data``: number of the stream (1 stdout, 2 stderr) and bytes."""
        view = memoryview(data)
        while view:
            if not self._left:
                view = self._take_header(view)
                continue
            piece, view = view[: self._left], view[self._left :]
            self._left -= len(piece)
            yield self._stream, piece

    def _take_header(self, view: memoryview) -> memoryview:
        missing = _HEADER.size - len(self._head)
        self._head += bytes(view[:missing])
        if len(self._head) == _HEADER.size:
            self._stream, self._left = _HEADER.unpack(self._head)
            self._head = b""
        return view[missing:]
