"""The events of a recording as they are kept: a kind, the time in microseconds since its start, and a payload."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from sac_core.contracts.stage import Ended, Missed, Printed, Resized, StageEvent
from sac_core.errors import LostError
from sac_core.models.process import Exit

EventKind = Literal["output", "missed", "resize", "exit"]

_KINDS: dict[EventKind, int] = {"output": 1, "missed": 2, "resize": 3, "exit": 4}
_NAMES = {code: kind for kind, code in _KINDS.items()}
_HEAD = struct.Struct(">BQI")
_RANGE = struct.Struct(">QQ")
_SIZE = struct.Struct(">HH")


class KeptEvent(NamedTuple):
    """An event as it is kept."""

    kind: EventKind
    micros: int
    payload: bytes

    @property
    def range(self) -> tuple[int, int]:
        """Of what was missed: its first offset, and the one behind it."""
        start, end = _RANGE.unpack(self.payload)
        return start, end

    @property
    def size(self) -> tuple[int, int]:
        """Of a resize: columns and rows."""
        cols, rows = _SIZE.unpack(self.payload)
        return cols, rows

    @property
    def exit(self) -> Exit:
        """How the session's process ended."""
        return Exit(**json.loads(self.payload))


def kept(event: StageEvent, micros: int) -> KeptEvent:
    """An event of a session in the form that is kept."""
    match event:
        case Printed():
            return KeptEvent("output", micros, event.data)
        case Missed():
            return KeptEvent("missed", micros, _RANGE.pack(event.start, event.end))
        case Resized():
            return KeptEvent("resize", micros, _SIZE.pack(event.size.cols, event.size.rows))
        case Ended():
            exit = {"code": event.exit.code, "signal": event.exit.signal, "reason": event.exit.reason}
            return KeptEvent("exit", micros, json.dumps(exit).encode())


def packed(events: Iterable[KeptEvent]) -> bytes:
    """Events as bytes."""
    parts: list[bytes] = []
    for kind, micros, payload in events:
        parts += (_HEAD.pack(_KINDS[kind], micros, len(payload)), payload)
    return b"".join(parts)


def unpacked(data: bytes) -> Iterator[KeptEvent]:
    """Events of bytes; raises `LostError` when they are not whole."""
    at = 0
    while at < len(data):
        code, micros, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if code not in _NAMES or at + length > len(data):
            raise LostError("a recording's chunk is not whole", reason="RecordingBroken")
        yield KeptEvent(_NAMES[code], micros, data[at : at + length])
        at += length
