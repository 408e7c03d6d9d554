"""A line on the error output that says what is waited for; only on a terminal."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType


class Progress:
    """Shows one line at a time in the same place, and removes it in the end. Silent where stderr is no terminal."""

    def __init__(self, first: str = "") -> None:
        self._live = sys.stderr.isatty()
        self._shown = ""
        self._first = first

    def __enter__(self) -> Progress:
        if self._first:
            self.show(self._first)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live and self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def show(self, text: str) -> None:
        """Replace the line."""
        if not self._live or text == self._shown:
            return
        self._shown = text
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[K{printable(text)[:width]}")
        sys.stderr.flush()


def printable(text: str) -> str:
    """Text from elsewhere without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
