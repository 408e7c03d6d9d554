"""Frames of conversations: both ways unchanged, and bounded."""

from __future__ import annotations

import json

import pytest

from sac_core.errors import InvalidError, TooLargeError
from sac_core.models.conversation import Completed, Event, Failure, Permission, ToolUse, Usage
from sac_core.wire import converse as wire

EVENTS: list[Event] = [
    ToolUse(id="t", name="Edit", input={"snake_case": 1, "camelCase": [None, "ä"]}, parent="p"),
    Permission(request="r", tool="Bash", input={"command": "ls"}),
    Usage(input_tokens=3, cost=0.5),
    Failure(reason="Ended", message="why"),
    Completed(outcome="cancelled"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event.type))
def test_an_event_arrives_as_it_was(event: Event) -> None:
    assert wire.decode_event(json.loads(wire.encode_event(event))) == event


@pytest.mark.parametrize("frame", [wire.Open(resume="c1"), wire.Send(text="ä\n"), wire.Cancel()])
def test_a_frame_of_the_client_arrives_as_it_was(frame: wire.Open | wire.Send | wire.Cancel) -> None:
    assert wire.decode_client(wire.encode(frame)) == frame


@pytest.mark.parametrize(
    "frame", ["{}", '{"type": "shout"}', '{"type": "send"}', '{"type": "cancel", "more": 1}', "[]"]
)
def test_other_frames_are_refused(frame: str) -> None:
    with pytest.raises(InvalidError):
        wire.decode_client(frame)


@pytest.mark.parametrize("event", [{}, {"event": {"type": "weather"}}, {"event": None}])
def test_an_event_that_is_not_known_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        wire.decode_event(event)


def test_what_is_said_is_something_and_fits_into_a_frame() -> None:
    wire.check_text("x" * 65_000)
    with pytest.raises(TooLargeError):
        wire.check_text("ä" * 40_000)
    for text in ("", " \n", "\ud800"):
        with pytest.raises(InvalidError):
            wire.check_text(text)
