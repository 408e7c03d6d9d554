"""`sac.holder.v1`: frames between the server (`held`) and the holder in a body, over any byte stream.

A frame is ``>IBI``: the payload's length, the type, the channel; then the payload. Types:

===== ====== =========================================================================================================
CALL    1    JSON ``{"id", "call", ...}`` on channel 0; answered in any order by REPLY
REPLY   2    JSON ``{"id", "ok": {...}}`` or ``{"id", "error": {"reason", "message"}}`` on channel 0
EVENT   3    JSON ``{"event", ...}`` on an attached channel (``gap exit input``) or on channel 0 (``exit`` with ``process``)
DATA    4    output on an attached channel: ``>BQ`` stream (0 tty, 1 stdout, 2 stderr) and offset, then the bytes;
             on a channel of `listen`: the connection's bytes, both ways
INPUT   5    raw input bytes on an attached channel; at most `WINDOW` not yet acknowledged by ``input {received}``
CREDIT  6    ``>I``: so many more bytes may be sent on this channel (the window of `attach` is the first credit)
===== ====== =========================================================================================================

Calls (``process`` is the caller's id; the same id again is the same process, never a second):

- ``hello {versions}`` -> ``{version, uid, pid, start, processes: [...]}``; must be the first. From then on channel 0 tells exits.
- ``open {process, argv, env, cwd, tty: {cols, rows} | null, stdin, overflow}`` -> ``{created, pid}``
- ``attach {process, channel, since, window}`` -> ``{offset, end}``: DATA from ``offset`` follows (a ``gap {from, to}`` first when
  ``since`` is older than the log), then ``exit {code, signal, reason, offset}`` after the last byte. ``since`` null: from the end.
- ``detach {channel}``; ``list {}`` -> ``{processes: [{process, pid, argv, tty, start, end, exit}]}``
- ``eof resize{cols, rows} signal{name} close{grace} forget`` each with ``process``. ``close`` ends and reaps it (HUP, then KILL
  after ``grace`` seconds) and answers with the exit; the log and the exit record stay until ``forget``.
- ``listen {path}`` makes a unix socket in the body; its connections come as EVENT ``accepted {path}`` on channels
  with the highest bit set, and end with EVENT ``closed``.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final, NamedTuple

from sac_core.errors import LostError
from sac_core.models.process import Chunk, Stream

VERSION: Final = "sac.holder.v1"
HEADER: Final = struct.Struct(">IBI")
OUTPUT: Final = struct.Struct(">BQ")
CREDIT_SIZE: Final = struct.Struct(">I")
MAX_PAYLOAD: Final = 1024 * 1024
WINDOW: Final = 256 * 1024
"""The most input bytes on their way to one process."""

CALL: Final = 1
REPLY: Final = 2
EVENT: Final = 3
DATA: Final = 4
INPUT: Final = 5
CREDIT: Final = 6

_STREAMS: Final[tuple[Stream, ...]] = ("tty", "stdout", "stderr")


class Frame(NamedTuple):
    """One frame, its payload still encoded."""

    type: int
    channel: int
    payload: bytes


def encode(type: int, channel: int, payload: bytes) -> bytes:
    """A frame's bytes."""
    return HEADER.pack(len(payload), type, channel) + payload


def encode_json(type: int, channel: int, body: dict[str, Any]) -> bytes:
    """A frame whose payload is JSON."""
    return encode(type, channel, json.dumps(body, separators=(",", ":")).encode())


def decode_json(payload: bytes) -> dict[str, Any]:
    """A JSON payload; raises `LostError` when a holder sends something else."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise LostError("the holder sent a frame that is no JSON object")
    return body


def decode_output(payload: bytes) -> Chunk:
    """The payload of an output frame."""
    if len(payload) < OUTPUT.size or payload[0] >= len(_STREAMS):
        raise LostError("the holder sent a malformed output frame")
    stream, offset = OUTPUT.unpack_from(payload)
    return Chunk(_STREAMS[stream], offset, payload[OUTPUT.size :])


class Decoder:
    """Cuts a stream of bytes into frames; raises `LostError` on a length over the bound (a hostile body)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Add bytes, take every frame that is complete."""
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        start = 0
        while len(buffer) - start >= HEADER.size:
            length, type, channel = HEADER.unpack_from(buffer, start)
            if length > MAX_PAYLOAD:
                raise LostError(f"the holder announced a frame of {length} bytes; at most {MAX_PAYLOAD} are taken")
            body = start + HEADER.size
            if len(buffer) < body + length:
                break
            frames.append(Frame(type, channel, bytes(memoryview(buffer)[body : body + length])))
            start = body + length
        if start:
            del buffer[:start]
        return frames
