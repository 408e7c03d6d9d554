"""`sac.converse.v1`: one conversation over a socket; text frames only, and it ends with its socket.

The client's first frame is ``open {resume}``, then come ``send {text}``, ``answer {request, allow, message}`` and
``cancel``. The server's are ``ready``, then ``event {event}`` with those of `sac_core.models.conversation`; ``error``
ends the socket, as on every socket of SAC.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from sac_core.errors import InvalidError, TooLargeError
from sac_core.models.base import Model, invalid
from sac_core.models.conversation import Decision, Event
from sac_core.wire import terminal

SUBPROTOCOL: Final = "sac.converse.v1"


class Open(Model):
    """Which conversation; none: a new one."""

    type: Literal["open"] = "open"
    resume: str | None = Field(default=None, max_length=200)


class Send(Model):
    """Begin a turn."""

    type: Literal["send"] = "send"
    text: str


class Answer(Decision):
    """Answer what was asked."""

    type: Literal["answer"] = "answer"
    request: str


class Cancel(Model):
    """End the turn."""

    type: Literal["cancel"] = "cancel"


ClientFrame = Annotated[Open | Send | Answer | Cancel, Field(discriminator="type")]

_CLIENT: TypeAdapter[Open | Send | Answer | Cancel] = TypeAdapter(ClientFrame)
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
READY: Final = json.dumps({"type": "ready"})


def check_text(text: str) -> None:
    """Raise `InvalidError` for an empty text, `TooLargeError` for one that fits into no frame."""
    if not text.strip():
        raise InvalidError("there is nothing to say", field="text")
    encode(Send(text=text))


def encode(frame: Model) -> str:
    """A frame of the client; raises `TooLargeError` for more than 64 KiB."""
    try:
        told = json.dumps(frame.to_wire(), ensure_ascii=False)
        size = len(told.encode())
    except UnicodeEncodeError:
        raise InvalidError("half a character is no text", field="text") from None
    if size > terminal.MAX_MESSAGE:
        raise TooLargeError("it is more than 64 KiB", field="text", hint="put it into a file of the workspace")
    return told


def decode_client(text: str) -> Open | Send | Answer | Cancel:
    """A frame of the client; raises `InvalidError` that names the field."""
    try:
        return _CLIENT.validate_python(terminal.control(text))
    except ValidationError as error:
        raise invalid(error) from None


def encode_event(event: Event) -> str:
    """An event as a frame of the server."""
    return json.dumps({"type": "event", "event": plain_event(event)})


def plain_event(event: Event) -> dict[str, Any]:
    """An event as an object of JSON."""
    told: dict[str, Any] = _EVENT.dump_python(event, mode="json", by_alias=True, exclude_none=True)
    return told


def decode_event(frame: dict[str, Any]) -> Event:
    """The event of a frame of the server; raises `InvalidError` for one that we do not know."""
    try:
        return _EVENT.validate_python(frame.get("event"))
    except ValidationError as error:
        raise invalid(error) from None
