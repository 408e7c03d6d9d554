"""Kept events as asciicast v2: a header, then one line for each event, times in seconds from the start."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from sac_core.models.recording import Recording
from sac_core.service.recording.events import KeptEvent


def header(recording: Recording) -> bytes:
    """The first line."""
    spec, status = recording.spec, recording.status
    told: dict[str, Any] = {"version": 2, "width": spec.tty.cols, "height": spec.tty.rows}
    if status.started_at is not None:
        told["timestamp"] = int(status.started_at.timestamp())
    if status.duration is not None:
        told["duration"] = status.duration
    told |= {"title": f"{spec.session} of {spec.agent}", "env": {"TERM": "xterm-256color"}}
    return _line(told)


class Cast:
    """Turns events into lines. A character that two events share is told with the second; what is none is U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._micros = 0

    def lines(self, event: KeptEvent) -> Iterator[bytes]:
        """The lines of one event."""
        match event.kind:
            case "output":
                yield from self._output(event.micros, self._decoder.decode(event.payload))
            case "missed":
                yield from self.rest()
                start, end = event.range
                yield self._event(event.micros, "m", f"{end - start} bytes missed")
            case "resize":
                cols, rows = event.size
                yield self._event(event.micros, "r", f"{cols}x{rows}")
            case "exit":
                yield from self.rest()
        self._micros = event.micros

    def rest(self) -> Iterator[bytes]:
        """What is left of a character that was never finished."""
        yield from self._output(self._micros, self._decoder.decode(b"", final=True))
        self._decoder.reset()

    def _output(self, micros: int, text: str) -> Iterator[bytes]:
        if text:
            yield self._event(micros, "o", text)

    def _event(self, micros: int, code: str, data: str) -> bytes:
        return _line([micros / 1e6, code, data])


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")).encode("utf-8", errors="replace") + b"\n"
