"""What Claude Code prints, as messages: one JSON object a line. A line that is none is nobody's."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from sac_core.contracts.sac import Exec

LONGEST = 16 * 1024 * 1024
"""Bytes of a line; a longer one is dropped."""
_LAST = 2000

Message = dict[str, Any]


class Lines:
    """The messages of a running program; ``complaint`` is what it has said last besides them."""

    def __init__(self, running: Exec) -> None:
        self._running = running
        self._rest = bytearray()
        self._dropping = False
        self._errors = b""

    @property
    def complaint(self) -> str:
        """The last words, in signs that can be shown."""
        text = self._errors.decode(errors="replace").strip()
        return "".join(sign for sign in text if sign.isprintable() or sign == "\n")

    async def messages(self) -> AsyncGenerator[Message]:
        """Until its output ends."""
        async for chunk in self._running.output():
            if chunk.stream == "stderr":
                self._errors = (self._errors + chunk.data)[-_LAST:]
                continue
            for line in self._whole(chunk.data):
                message = _object(line)
                if message is not None:
                    yield message
                elif line.strip():
                    self._errors = (self._errors + line[:_LAST] + b"\n")[-_LAST:]

    def _whole(self, data: bytes) -> list[bytes]:
        first, *others = data.split(b"\n")
        self._take(first)
        lines = []
        for piece in others:
            if not self._dropping:
                lines.append(bytes(self._rest))
            self._rest.clear()
            self._dropping = False
            self._take(piece)
        return lines

    def _take(self, piece: bytes) -> None:
        if self._dropping or len(self._rest) + len(piece) > LONGEST:
            self._dropping = True
            self._rest.clear()
            return
        self._rest += piece


def _object(line: bytes) -> Message | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
