"""Frames and documents there and back; what is malformed names its field."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sac_core import errors
from sac_core.wire import exec, problem, terminal

SERVER: list[terminal.ServerFrame] = [
    terminal.Attached(7, "s", "view", {"cols": 1, "rows": 2}, 9),
    terminal.Input(3),
    terminal.Gap(1, 5),
    terminal.Resize(80, 24),
    terminal.RoleChanged("control", False),
    terminal.Exited(0),
    terminal.Exited(None, "KILL", "Lost"),
    terminal.Failure("Forbidden", "no"),
]
CLIENT: list[terminal.ClientFrame] = [
    terminal.Resize(80, 24),
    terminal.Signal("INT"),
    terminal.Eof(),
    terminal.Ack(12),
    terminal.Take(),
]


@pytest.mark.parametrize("frame", SERVER, ids=str)
def test_server_frames_there_and_back(frame: terminal.ServerFrame) -> None:
    assert terminal.decode_server(terminal.encode(frame)) == frame


@pytest.mark.parametrize("frame", CLIENT, ids=str)
def test_client_frames_there_and_back(frame: terminal.ClientFrame) -> None:
    assert terminal.decode_client(terminal.encode(frame)) == frame


def test_a_gap_is_from_and_to_on_the_wire() -> None:
    assert terminal.encode(terminal.Gap(1, 5)) == '{"type":"gap","from":1,"to":5}'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"type":"resize","cols":0,"rows":1}', "cols"),
        ('{"type":"resize","cols":1,"rows":1001}', "rows"),
        ('{"type":"resize","cols":true,"rows":1}', "cols"),
        ('{"type":"signal","name":"SEGV"}', "name"),
        ('{"type":"ack","offset":-1}', "offset"),
        ('{"type":"shout"}', "type"),
        ("[]", "type"),
        ("{", "type"),
        ("[" * 30_000, "type"),
    ],
)
def test_a_malformed_frame_names_its_field(text: str, field: str) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        terminal.decode_client(text)
    assert caught.value.field == field


@given(st.text(max_size=200))
def test_no_text_breaks_the_decoder(text: str) -> None:
    with contextlib.suppress(errors.InvalidError):
        terminal.decode_client(text)


@given(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=64))
def test_exec_output_there_and_back(stream: str, data: bytes) -> None:
    assert exec.decode_output(exec.encode_output(stream, data)) == (stream, data)
    assert exec.decode_input(exec.encode_input(data)) == data


@pytest.mark.parametrize("frame", [b"", b"\x03x", b"\x00x"])
def test_exec_output_of_no_known_stream_is_refused(frame: bytes) -> None:
    with pytest.raises(errors.InvalidError):
        exec.decode_output(frame)


ERRORS = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.SacError)]


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_survives_the_wire(cls: type[errors.SacError]) -> None:
    error = cls("what happened", field="spec.x", hint="do this")
    document = problem.encode(error)
    back = problem.decode(document)
    assert type(back) is cls
    assert (back.message, back.reason, back.field, back.hint) == (error.message, error.reason, error.field, error.hint)
    assert document["status"] == problem.status(error)


def test_what_belongs_to_some_errors_only_survives_too() -> None:
    conflict = problem.decode(problem.encode(errors.ConflictError("lost", current="7")))
    assert isinstance(conflict, errors.ConflictError)
    assert conflict.current == "7"
    later = problem.decode(problem.encode(errors.UnavailableError("busy", retry_after=2.5)))
    assert isinstance(later, errors.UnavailableError)
    assert later.retry_after == 2.5


def test_an_answer_that_is_no_document_becomes_an_error_of_its_status() -> None:
    assert isinstance(problem.decode({}, http_status=404), errors.NotFoundError)
    assert isinstance(problem.decode({"title": "Nonsense"}, http_status=418), errors.SacError)
