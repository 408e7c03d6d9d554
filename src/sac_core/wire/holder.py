"""`sac.holder.v1`: frames between the server (`held`) and the holder in a body, over any byte stream.

A frame is ``>IBI``: the payload's length, the type, the channel; then the payload. Types:

===== ====== =========================================================================================================
CALL    1    JSON ``{"id", "call", ...}`` on channel 0; answered in any order by REPLY
REPLY   2    JSON ``{"id", "ok": {...}}`` or ``{"id", "error": {"reason", "message"}}`` on channel 0
EVENT   3    JSON ``{"event", ...}`` on an attached channel: ``gap exit input forgotten``; on channel 0: ``exit`` with
             ``process``, of any process
DATA    4    output on an attached channel: ``>BQ`` stream (0 tty, 1 stdout, 2 stderr) and offset, then the bytes;
             on a stream of `listen` or `dial`, either way: bytes alone, and from the server an empty frame as the end
INPUT   5    raw input bytes on an attached channel; at most `WINDOW` not yet acknowledged by ``input``
CREDIT  6    ``>I``: so many more bytes may be sent on this channel (the window of `attach` is the first credit)
===== ====== =========================================================================================================

Calls (``process`` is the caller's id; the same id again is the same process, never a second):

- ``hello {versions}`` -> ``{version, uid, pid, start, processes: [...]}``; must be the first. From then on
  channel 0 tells exits.
- ``open {process, argv, env, cwd, tty: {cols, rows} | null, stdin, overflow}`` -> ``{created, pid}``
- ``attach {process, channel, since, window}`` -> ``{offset, end}``: DATA from ``offset`` follows (``gap {from, to}``
  first when ``since`` is older than the log), then ``exit {code, signal, reason, offset}`` after the last byte.
  ``since`` null: from the end.
  A ``window`` of 0 is for input only: neither output nor exit is sent, and a process that blocks does not wait for it.
  CREDIT says what was consumed: a log that blocks keeps a byte until every attached reader has consumed it.
- ``detach {channel}``; ``list {}`` -> ``{processes: [...]}``; ``get {process}`` -> one of them:
  ``{process, pid, argv, tty, size, start, end, started, exit}``, ``start`` and ``end`` being the log's offsets,
  ``size`` ``{cols, rows}`` of a terminal or null, ``argv`` shortened
- ``eof resize{cols, rows} signal{name} close{grace} forget`` each with ``process``. ``close`` ends and reaps it (HUP,
  or TERM without a terminal, then KILL after ``grace`` seconds) and answers with the exit; log and exit record stay
  until ``forget``, which tells who is still attached ``forgotten``.
- ``listen {path}``: a unix socket in the body (a relative path: in the holder's folder), until ``unlisten {path}`` or
  the connection's end. Each of its connections is a stream on a channel from `LISTENED` on: ``accepted {path}``, DATA
  within `STREAM_WINDOW` and CREDIT both ways, ``eof`` when the body has said all, ``closed`` when nothing follows in
  either direction. ``detach`` ends a stream. Another connection that listens at the same path takes the path over.
- ``dial {port, token}`` -> ``{channel}``: connects to a TCP port of the body's loopback. The connection is a stream as
  those of ``listen``; ``dialled {token}`` is the first on its channel.

``input {received, closed}`` counts the channel's input bytes that the process's terminal or pipe has taken; ``closed``
true says that it takes no more.
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

LISTENED: Final = 0x80000000
"""The first channel number of streams; only the holder gives these numbers."""
STREAM_WINDOW: Final = 64 * 1024
"""The most bytes on their way in each direction of a stream."""
MAX_STREAMS: Final = 112
"""The most streams of one link."""
MAX_DIALS: Final = 64
"""The most of them that the server dials; the others are left to the body, whose ways out go over the same link."""

_STREAMS: Final[tuple[Stream, ...]] = ("tty", "stdout", "stderr")


class Frame(NamedTuple):
    """One whole frame, its payload still encoded."""

    type: int
    channel: int
    payload: bytes


class Output(NamedTuple):
    """Output of an attached channel: a DATA frame, or the part of one that has arrived."""

    channel: int
    chunk: Chunk


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


class Decoder:
    """Cuts a stream of bytes into frames; raises `LostError` on what the protocol forbids (a hostile body).

    Output is handed on as it arrives, without waiting for the end of its frame and copied at most once.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._need = 0
        self._left = 0
        self._channel = 0
        self._stream: Stream = "tty"
        self._offset = 0

    def feed(self, data: bytes) -> list[Frame | Output]:
        """Add bytes, take every frame that is complete and all output."""
        found: list[Frame | Output] = []
        start = self._take(data, 0, found) if self._left else 0
        if self._rest:
            self._rest += memoryview(data)[start:]
            if len(self._rest) < self._need:
                return found
            data, start = bytes(self._rest), 0
            self._rest.clear()
        while start < len(data):
            start = self._frame(data, start, found)
        return found

    def _frame(self, data: bytes, start: int, found: list[Frame | Output]) -> int:
        if len(data) - start < HEADER.size:
            return self._keep(data, start, HEADER.size)
        length: int
        length, type, channel = HEADER.unpack_from(data, start)
        if length > MAX_PAYLOAD:
            raise LostError(f"the holder announced a frame of {length} bytes; at most {MAX_PAYLOAD} are taken")
        body = start + HEADER.size
        if type == DATA and channel < LISTENED:
            return self._output(data, start, length, channel, found)
        if len(data) < body + length:
            return self._keep(data, start, HEADER.size + length)
        found.append(Frame(type, channel, data[body : body + length]))
        return body + length

    def _output(self, data: bytes, start: int, length: int, channel: int, found: list[Frame | Output]) -> int:
        body = start + HEADER.size
        if length < OUTPUT.size:
            raise LostError("the holder sent a malformed output frame")
        if len(data) < body + OUTPUT.size:
            return self._keep(data, start, HEADER.size + OUTPUT.size)
        stream, self._offset = OUTPUT.unpack_from(data, body)
        if stream >= len(_STREAMS):
            raise LostError("the holder sent output of an unknown stream")
        self._stream, self._channel, self._left = _STREAMS[stream], channel, length - OUTPUT.size
        return self._take(data, body + OUTPUT.size, found)

    def _take(self, data: bytes, start: int, found: list[Frame | Output]) -> int:
        stop = min(len(data), start + self._left)
        if stop > start:
            piece = data[start:stop]
            found.append(Output(self._channel, Chunk(self._stream, self._offset, piece)))
            self._left -= len(piece)
            self._offset += len(piece)
        return stop

    def _keep(self, data: bytes, start: int, need: int) -> int:
        self._rest += memoryview(data)[start:]
        self._need = need
        return len(data)
