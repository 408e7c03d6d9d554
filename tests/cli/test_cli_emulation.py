from __future__ import annotations

import pytest

from sac_core.cli.emulation import History, Modes

QUESTIONS = [
    b"\x1b[c", b"\x1b[>c", b"\x1b[0c", b"\x1b[=c", b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?2026$p", b"\x1b[>0q",
    b"\x1b[?u", b"\x1b[18t", b"\x1b[21t", b"\x1bP$qm\x1b\\", b"\x1bP+q544e\x1b\\", b"\x1b]10;?\x07", b"\x1b]11;?\x1b\\",
    b"\x1b]4;1;?\x07", b"\x1b]52;c;?\x07", b"\x1bZ", b"\x05",
]  # fmt: skip
HARMLESS = [
    b"\x1b[2J",
    b"\x1b[31m",
    b"\x1b]0;title?\x07",
    b"\x1b[10;20H",
    b"\x1b[?1049h",
    b"\x1b[8;24;80t",
    "ä€😀".encode(),
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_questions_of_the_past_are_left_out_in_whatever_pieces_they_come(question: bytes, size: int) -> None:
    data = b"before" + question + b"after"
    history = History(len(data))
    shown = b"".join(history.pass_on(start, data[start : start + size]) for start in range(0, len(data), size))
    assert shown == b"beforeafter"


@pytest.mark.parametrize("text", HARMLESS)
@pytest.mark.parametrize("size", [1, 100])
def test_everything_else_of_the_past_is_shown(text: bytes, size: int) -> None:
    data = b"a" + text + b"b"
    history = History(len(data))
    assert b"".join(history.pass_on(start, data[start : start + size]) for start in range(0, len(data), size)) == data


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_present_is_untouched(question: bytes) -> None:
    history = History(10)
    assert history.pass_on(0, b"0123456789" + question) == b"0123456789" + question
    assert history.pass_on(10, question) == question


def test_what_was_held_back_at_the_end_of_the_past_is_shown_with_the_present() -> None:
    history = History(3)
    assert history.pass_on(0, b"ab\x1b") == b"ab"
    assert history.pass_on(3, b"[31m") == b"\x1b[31m"


def test_modes_left_on_are_undone_and_those_put_back_are_not() -> None:
    modes = Modes()
    for part in (b"\x1b[?1049h\x1b[?25l\x1b[?20", b"04h", b"\x1b[?1000;1006h", b"\x1b[?1000l", b"\x1b[?7l\x1b[?7h"):
        modes.see(part)
    undone = modes.undo()
    assert all(part in undone for part in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1006l"))
    assert b"?1000" not in undone
    assert b"?7" not in undone


def test_a_session_that_changed_nothing_leaves_the_screen_alone() -> None:
    modes = Modes()
    modes.see(b"plain text\x1b[31m")
    assert modes.undo() == b"\x1b[0m"
