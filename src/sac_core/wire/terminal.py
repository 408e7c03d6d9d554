"""`sac.terminal.v1`: binary frames are bytes, text frames are JSON control (design section 6).

The server's frames are ``attached input gap resize role exit error``, the client's ``resize signal eof ack take``.
Every text frame is ``{"type": NAME, ...}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Final, Literal

from sac_core.errors import InvalidError, TooLargeError
from sac_core.models.process import SIGNALS

SUBPROTOCOL: Final = "sac.terminal.v1"
MAX_MESSAGE: Final = 64 * 1024
"""The largest message a client may send; a paste is cut into such pieces."""
WINDOW: Final = 512 * 1024
"""The most bytes unacknowledged per viewer once it acks at all."""

Role = Literal["control", "view"]
ROLES: Final = ("control", "view")


@dataclass(frozen=True, slots=True)
class Attached:
    """The first frame: the offset of the next byte, the session's name, this viewer's role, the terminal's size.

    ``end`` is where the output ended at the moment of attaching: what is older is history, and a terminal must not send
    the replies that history asks for.
    """

    type: ClassVar[str] = "attached"
    offset: int
    session: str
    role: Role
    tty: dict[str, int] | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """``received`` bytes of this viewer's input have reached the process, counted from its attach."""

    type: ClassVar[str] = "input"
    received: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Output from offset ``start`` up to ``end`` is gone; the next byte is at ``end``. On the wire ``from``, ``to``."""

    type: ClassVar[str] = "gap"
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Resize:
    """From the server: the size changed. From the client that controls: change it."""

    type: ClassVar[str] = "resize"
    cols: int
    rows: int


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """This viewer's role is now ``role``; ``controller`` tells a watcher whether somebody else controls."""

    type: ClassVar[str] = "role"
    role: Role
    controller: bool = False


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended; no byte follows, the server closes with 1000."""

    type: ClassVar[str] = "exit"
    code: int | None = None
    signal: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A client frame was refused, or the session cannot go on; the socket stays open unless a close follows."""

    type: ClassVar[str] = "error"
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Signal:
    """Send a signal to the process group; ``name`` without SIG."""

    type: ClassVar[str] = "signal"
    name: str


@dataclass(frozen=True, slots=True)
class Eof:
    """End the process's input."""

    type: ClassVar[str] = "eof"


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything before ``offset`` has been shown."""

    type: ClassVar[str] = "ack"
    offset: int


@dataclass(frozen=True, slots=True)
class Take:
    """Take the input lease from whoever has it."""

    type: ClassVar[str] = "take"


@dataclass(frozen=True, slots=True)
class Output:
    """Not a text frame: the bytes of a binary one with the offset of the first."""

    offset: int
    data: bytes = field(repr=False)


ServerFrame = Attached | Input | Gap | Resize | RoleChanged | Exited | Failure
ClientFrame = Resize | Signal | Eof | Ack | Take
TerminalEvent = Output | Gap | Resize | RoleChanged | Input | Exited | Failure


def encode(frame: ServerFrame | ClientFrame) -> str:
    """The text frame; fields that are None are left out."""
    if isinstance(frame, Gap):
        body: dict[str, Any] = {"from": frame.start, "to": frame.end}
    else:
        body = {key: value for key, value in asdict(frame).items() if value is not None}
    return json.dumps({"type": frame.type, **body}, separators=(",", ":"))


def decode_client(text: str) -> ClientFrame:
    """A client's text frame; raises `InvalidError` that names the field."""
    data = control(text)
    match data.get("type"):
        case "resize":
            return Resize(cols=_whole(data, "cols", 1, 1000), rows=_whole(data, "rows", 1, 1000))
        case "signal":
            if data.get("name") not in SIGNALS:
                raise InvalidError(f"no such signal; known: {', '.join(SIGNALS)}", field="name")
            return Signal(name=data["name"])
        case "eof":
            return Eof()
        case "ack":
            return Ack(offset=_whole(data, "offset", 0, 2**63))
        case "take":
            return Take()
    raise InvalidError("no such frame; known: resize, signal, eof, ack, take", field="type")


def decode_server(text: str) -> ServerFrame:
    """A server's text frame; unknown fields are ignored, an unknown type raises `InvalidError`."""
    data = control(text)
    match data.get("type"):
        case "attached":
            return Attached(data["offset"], data["session"], data["role"], data.get("tty"), data.get("end"))
        case "input":
            return Input(data["received"])
        case "gap":
            return Gap(data["from"], data["to"])
        case "resize":
            return Resize(data["cols"], data["rows"])
        case "role":
            return RoleChanged(data["role"], data.get("controller", False))
        case "exit":
            return Exited(data.get("code"), data.get("signal"), data.get("reason", ""))
        case "error":
            return Failure(data.get("reason", "Error"), data.get("message", ""))
    raise InvalidError("the server sent a frame that this client does not know", field="type")


def control(text: str) -> dict[str, Any]:
    """A control frame as an object; raises `InvalidError` when it is none."""
    if len(text) > MAX_MESSAGE:
        raise TooLargeError("a control frame is at most 64 KiB")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidError("a text frame must be a JSON object", field="type") from None
    if not isinstance(data, dict):
        raise InvalidError("a text frame must be a JSON object", field="type")
    return data


def _whole(data: dict[str, Any], name: str, low: int, high: int) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidError(f"must be a whole number from {low} to {high}", field=name)
    return value
