"""Texts that no database takes, or that stop others from being found: a NUL, and half a character.

PostgreSQL reads no field of a JSON text that has one anywhere in it: one row would break every search over all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sac_core.errors import InvalidError

_UNFIT = re.compile("[\0\ud800-\udfff]")
_INSTEAD = "\ufffd"


def suspicious(json: str) -> bool:
    """Whether JSON in ASCII may hold such a text; quick, and sometimes wrong in saying so."""
    return "\\u0000" in json or "\\ud" in json


def refuse_unfit(value: Any, field: str) -> None:
    """Raise `InvalidError` that names the field when such a text is somewhere in ``value``, a key included."""
    found = next(_places(value, field), None)
    if found is not None:
        raise InvalidError("this holds a NUL, or half a character", field=found, hint="use Unicode without NUL")


def without_unfit(value: Any) -> Any:
    """The same with a replacement character for each: for what others said, which has to be kept somehow."""
    if isinstance(value, str):
        return _UNFIT.sub(_INSTEAD, value)
    if isinstance(value, Mapping):
        return {without_unfit(key): without_unfit(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_unfit(each) for each in value]
    return value


def _places(value: Any, field: str) -> Iterator[str]:
    if isinstance(value, str):
        if _UNFIT.search(value):
            yield field
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if _UNFIT.search(str(key)):
                yield field
            yield from _places(each, f"{field}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            yield from _places(each, f"{field}.{number}")
