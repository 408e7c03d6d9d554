"""Options of plugins on the command line: NAME=VALUE, as the tree that a spec has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sac_core.errors import InvalidError


def parse_options(given: Sequence[str], flag: str = "--option") -> dict[str, Any]:
    """A tree from ``a.b=VALUE``. What is a list or a mapping in JSON is one; all else is a text, for the model to read.

    Raises `InvalidError`, which names ``flag``, for what has no value, or is a value and has parts at once.
    """
    return _tree([(path, _value(path, value, flag)) for path, value in _pairs(given, flag)], flag)


def merged_options(given: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    """A tree from ``--set a.b=VALUE`` and ``--set-file a.c=PATH``, whose values are the texts of files."""
    pairs = [(path, _value(path, value, "--set")) for path, value in _pairs(given, "--set")]
    return _tree([*pairs, *[(path, _text(value)) for path, value in _pairs(files, "--set-file")]], "--set")


def label_options(given: Sequence[str]) -> dict[str, str]:
    """Labels from ``NAME=VALUE``; a name may have dots."""
    return dict(_pairs(given, "--label"))


def _pairs(given: Sequence[str], flag: str) -> list[tuple[str, str]]:
    pairs = []
    for item in given:
        path, sign, value = item.partition("=")
        if not sign or not all(path.split(".")):
            raise _wrong(f"{item!r} is no option", "write NAME=VALUE", flag)
        pairs.append((path, value))
    return pairs


def _tree(pairs: Sequence[tuple[str, object]], flag: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in pairs:
        *parents, last = path.split(".")
        place = tree
        for part in parents:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise _wrong(f"{path} is a part of what has a value already", "say it once", flag)
        if last in place:
            raise _wrong(f"{path} is there twice", "say it once", flag)
        place[last] = value
    return tree


def _value(path: str, text: str, flag: str) -> object:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise _wrong(f"{path} is not JSON: {error}", "quote it for the shell", flag) from None


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(f"{path} cannot be read: {error}", "give a file of text", "--set-file") from None


def _wrong(message: str, hint: str, flag: str) -> InvalidError:
    return InvalidError(message, field=flag, reason="Usage", hint=hint)
