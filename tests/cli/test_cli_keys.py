from __future__ import annotations

import pytest

from sac_core.cli.keys import DEFAULT, DetachKeys, parse_keys
from sac_core.errors import InvalidError


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (DEFAULT, b"\x1dd"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("Ctrl-\\", b"\x1c"),
        ("~,.", b"~."),
        ("", b""),
    ],
)
def test_keys_are_written_as_people_say_them(text: str, keys: bytes) -> None:
    assert parse_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "enter", "ctrl-ä", "a,,b", "ctrl-1"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="--detach-keys"):
        parse_keys(text)


@pytest.mark.parametrize(
    ("typed", "passed", "detached"),
    [
        (b"hello", b"hello", False),
        (b"ab\x1ddrest", b"ab", True),
        (b"\x1dx\x1dd", b"\x1dx", True),
        (b"\x1d\x1dd", b"\x1d", True),
        (b"\x1d", b"", False),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_keys_are_found_in_whatever_pieces_they_come(typed: bytes, passed: bytes, detached: bool, size: int) -> None:
    keys = DetachKeys(b"\x1dd")
    got, left = b"", False
    for start in range(0, len(typed), size):
        if not left:
            part, left = keys.feed(typed[start : start + size])
            got += part
    assert (got, left) == (passed, detached)


def test_a_sequence_that_begins_like_itself_is_found() -> None:
    assert DetachKeys(b"aab").feed(b"aaab") == (b"a", True)


def test_a_beginning_alone_is_given_back() -> None:
    keys = DetachKeys(b"\x1dd")
    assert keys.feed(b"\x1d") == (b"", False)
    assert keys.holding
    assert keys.release() == b"\x1d"
    assert keys.feed(b"d") == (b"d", False)


def test_without_keys_everything_passes() -> None:
    assert DetachKeys(b"").feed(b"\x1dd") == (b"\x1dd", False)
