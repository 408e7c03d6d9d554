"""Options of plugins on the command line: NAME=VALUE, as the tree that a spec has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sac_core.errors import InvalidError


def parse_options(given: Sequence[str]) -> dict[str, Any]:
    """A tree from ``a.b=VALUE``. What is a list or a mapping in JSON is one; all else is a text, for the model to read.

    Raises `InvalidError` for what has no value, or is a value and has parts at once.
    """
    tree: dict[str, Any] = {}
    for item in given:
        path, sign, value = item.partition("=")
        parts = path.split(".")
        if not sign or not all(parts):
            raise _wrong(f"{item!r} is no option", "write NAME=VALUE")
        _set(tree, parts, _value(path, value), path)
    return tree


def _set(tree: dict[str, Any], parts: list[str], value: object, path: str) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise _wrong(f"{path} is a part of what has a value already", "say it once")
    if parts[-1] in tree:
        raise _wrong(f"{path} is there twice", "say it once")
    tree[parts[-1]] = value


def _value(path: str, text: str) -> object:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise _wrong(f"{path} is not JSON: {error}", "quote it for the shell") from None


def _wrong(message: str, hint: str) -> InvalidError:
    return InvalidError(message, field="--option", reason="Usage", hint=hint)
