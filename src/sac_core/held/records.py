"""What a holder tells, checked: process records, exits, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sac_core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LostError,
    NotFoundError,
    NotReadyError,
    SacError,
    UnavailableError,
    UnsupportedError,
)
from sac_core.models.process import Exit, TtySize

_ERRORS: dict[str, type[SacError]] = {
    "Conflict": ConflictError,
    "Forbidden": ForbiddenError,
    "Invalid": InvalidError,
    "NotFound": NotFoundError,
    "NotReady": NotReadyError,
    "NothingListens": NotReadyError,
    "Unsupported": UnsupportedError,
}


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process as its holder lists it. ``start`` and ``end`` are the log's offsets; ``argv`` may be shortened.

    ``size`` is None without a terminal.
    """

    process: str
    pid: int
    argv: tuple[str, ...]
    tty: bool
    start: int
    end: int
    exit: Exit | None
    size: TtySize | None


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a holder says it is: the body's uid, its pid and start time, and its processes when the link began.

    ``folder`` is its own, where relative paths of sockets are; empty: it is too old to say.
    """

    uid: str
    pid: int
    start: int
    processes: tuple[ProcessRecord, ...]
    folder: str


def malformed(what: str) -> LostError:
    """A holder that breaks the protocol is as good as lost."""
    return LostError(f"the holder sent a malformed {what}")


def text_of(body: Mapping[str, Any], key: str, what: str) -> str:
    """A text of at most 4096 characters."""
    value = body.get(key)
    if not isinstance(value, str) or len(value) > 4096:
        raise malformed(what)
    return value


def number_of(body: Mapping[str, Any], key: str, what: str) -> int:
    """A whole number from 0 to 2**63."""
    value = body.get(key)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise malformed(what)
    return value


def exit_of(body: Mapping[str, Any]) -> Exit:
    """How a process ended."""
    code, signal, reason = body.get("code"), body.get("signal"), body.get("reason", "")
    if not (code is None or (type(code) is int and 0 <= code < 256)):
        raise malformed("exit")
    if not (signal is None or (isinstance(signal, str) and len(signal) <= 16)) or not isinstance(reason, str):
        raise malformed("exit")
    return Exit(code, signal, reason[:64])


def record_of(body: object) -> ProcessRecord:
    """One entry of a list."""
    if not isinstance(body, dict):
        raise malformed("process record")
    argv, ended = body.get("argv"), body.get("exit")
    if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
        raise malformed("process record")
    if not (ended is None or isinstance(ended, dict)):
        raise malformed("process record")
    return ProcessRecord(
        process=text_of(body, "process", "process record"),
        pid=number_of(body, "pid", "process record"),
        argv=tuple(argv[:16]),
        tty=body.get("tty") is True,
        start=number_of(body, "start", "process record"),
        end=number_of(body, "end", "process record"),
        exit=None if ended is None else exit_of(ended),
        size=size_of(body.get("size")),
    )


def size_of(body: object) -> TtySize | None:
    """A terminal's size."""
    if body is None:
        return None
    try:
        return TtySize.model_validate(body)
    except ValidationError:
        raise malformed("process record") from None


def records_of(body: Mapping[str, Any]) -> tuple[ProcessRecord, ...]:
    """The processes of a list or a hello."""
    entries = body.get("processes")
    if not isinstance(entries, list):
        raise malformed("list of processes")
    return tuple(record_of(entry) for entry in entries)


def hello_of(body: Mapping[str, Any]) -> Hello:
    """The answer to hello."""
    return Hello(
        text_of(body, "uid", "hello"),
        number_of(body, "pid", "hello"),
        number_of(body, "start", "hello"),
        records_of(body),
        text_of(body, "folder", "hello") if "folder" in body else "",
    )


def error_of(body: object) -> SacError:
    """The error of a refused call."""
    if not isinstance(body, dict):
        return malformed("error")
    reason, message = text_of(body, "reason", "error"), text_of(body, "message", "error")
    kind = _ERRORS.get(reason, UnavailableError)
    return kind(message, reason=reason if reason.isalnum() and len(reason) <= 64 else None)
