"""The keys that detach: found in what is typed, and kept from the process."""

from __future__ import annotations

from sac_core.errors import InvalidError

DEFAULT = "ctrl-],d"
HELD = 1.0
"""Seconds that the beginning of the sequence is held back, so that it can still be typed to the process."""


def parse_keys(text: str) -> bytes:
    """The bytes of ``ctrl-],d``: single characters and ``ctrl-<character>``, by commas; empty for no such keys."""
    return b"".join(map(_key, text.split(","))) if text else b""


def _key(text: str) -> bytes:
    name = text.strip()
    if len(name) == 1 and name.isascii() and name.isprintable():
        return name.encode()
    prefix, _, character = name.rpartition("-")
    if prefix.lower() == "ctrl" and len(character) == 1 and 0x40 <= ord(character.upper()) <= 0x5F:
        return bytes((ord(character.upper()) & 0x1F,))
    raise InvalidError(
        f"{name!r} is no key",
        field="--detach-keys",
        reason="Usage",
        hint="give characters and ctrl-<character> by commas, for example ctrl-p,ctrl-q",
    )


class DetachKeys:
    """Splits what is typed into what goes to the process and whether the detach keys came."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._matched = 0

    @property
    def holding(self) -> bool:
        """Whether the beginning of the sequence is held back."""
        return self._matched > 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What to send, and whether to detach; what was typed after the keys is dropped."""
        if not self._keys:
            return data, False
        passed = bytearray()
        for byte in data:
            while self._matched and byte != self._keys[self._matched]:
                passed += self._shift()
            if byte == self._keys[self._matched]:
                self._matched += 1
            else:
                passed.append(byte)
            if self._matched == len(self._keys):
                return bytes(passed), True
        return bytes(passed), False

    def release(self) -> bytes:
        """Give up waiting for the rest: what was held back."""
        held = self._keys[: self._matched]
        self._matched = 0
        return held

    def _shift(self) -> bytes:
        """Drop the shortest beginning of what matched after which the rest is a beginning of the keys again."""
        held = self._keys[: self._matched]
        size = next(n for n in range(1, len(held) + 1) if self._keys.startswith(held[n:]))
        self._matched = len(held) - size
        return held[:size]
