"""What the bytes of a session do to the user's own terminal: modes to undo, and questions of the past to leave out."""

from __future__ import annotations

import re

_MODE = re.compile(rb"\x1b\[\?([0-9;]{1,64})([hl])")
_UNDONE_BY_SETTING = {b"7", b"25"}
"""Modes that a terminal has on: wrapping, and the cursor."""
_UNFINISHED = 64
"""The longest beginning of a sequence that is waited for."""

_QUESTION = re.compile(
    rb"\x1b\[[>=?]?[0-9;]*c"  # device attributes
    rb"|\x1b\[\??[0-9;]*n"  # status and cursor position
    rb"|\x1b\[\??[0-9;]*\$p"  # is a mode set
    rb"|\x1b\[>[0-9;]*q"  # version
    rb"|\x1b\[\?u"  # keyboard protocol
    rb"|\x1b\[(?:1[1-9]|2[01])(?:;[0-9]+)*t"  # window reports
    rb"|\x1bP(?:\$|\+)q[^\x1b\x07]{0,256}\x1b\\"  # settings, capabilities
    rb"|\x1b\][0-9]{1,4};(?:[^\x1b\x07]{0,128};)?\?(?:\x07|\x1b\\)"  # colours, clipboard
    rb"|\x1bZ|\x05"
)
_PART = re.compile(rb"\x1b(?:\[[>=?]?[0-9;$]*|[P\]][^\x1b\x07]*\x1b?)?\Z")


class Modes:
    """The private modes that a session left changed, so that the terminal can be given back as it was."""

    def __init__(self) -> None:
        self._changed: dict[bytes, bool] = {}
        self._rest = b""

    def see(self, data: bytes) -> None:
        """Take note of output."""
        text = self._rest + data
        for found in _MODE.finditer(text):
            for number in found[1].split(b";"):
                self._changed[number] = found[2] == b"h"
        part = _PART.search(text, max(0, len(text) - _UNFINISHED))
        self._rest = part[0] if part else b""

    def undo(self) -> bytes:
        """What brings the terminal back: no alternate screen, no mouse, a cursor, plain characters."""
        wrong = [number for number, on in self._changed.items() if on != (number in _UNDONE_BY_SETTING)]
        back = b"".join(b"\x1b[?%b%b" % (number, b"h" if number in _UNDONE_BY_SETTING else b"l") for number in wrong)
        return back + b"\x1b[0m\x1b>" if self._changed else b"\x1b[0m"


class History:
    """Output that is older than this viewer, without the questions that its terminal would answer as if typed now."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._rest = b""

    def pass_on(self, offset: int, data: bytes) -> bytes:
        """What to show of output that begins at ``offset``."""
        past = max(0, min(len(data), self._end - offset))
        if not past:
            rest, self._rest = self._rest, b""
            return rest + data
        text = _QUESTION.sub(b"", self._rest + data[:past])
        part = _PART.search(text, max(0, len(text) - _UNFINISHED))
        self._rest = part[0] if part and past == len(data) else b""
        return text[: len(text) - len(self._rest)] + data[past:]
