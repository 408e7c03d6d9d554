"""Names that people choose: DNS-1123 labels."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_KEY = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")


def _name(value: str) -> str:
    if not _LABEL.match(value):
        raise ValueError(
            f"{value[:80]!r} is not a name: use 1 to 63 lower-case letters, digits and '-', "
            "starting and ending with a letter or digit (a DNS label)"
        )
    return value


def _labels(value: dict[str, str]) -> dict[str, str]:
    for key, text in value.items():
        if len(key) > 253 or not _KEY.match(key):
            raise ValueError(f"{key[:80]!r} is not a label key: use letters, digits, '-', '_', '.', at most one '/'")
        if not _VALUE.match(text):
            raise ValueError(f"the value of {key!r} is not a label value: at most 63 letters, digits, '-', '_', '.'")
    return value


def _variable(value: str) -> str:
    if not _VARIABLE.match(value):
        raise ValueError(
            f"{value[:80]!r} is not a variable name: use letters, digits and '_', not starting with a digit"
        )
    return value


def _environment(value: dict[str, str]) -> dict[str, str]:
    for key, text in value.items():
        _variable(key)
        if "\0" in text:
            raise ValueError(f"the value of {key!r} holds a NUL byte")
    return value


def _argv(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not value[0]:
        raise ValueError("the command is empty: give the program first, then its arguments")
    if any("\0" in part for part in value):
        raise ValueError("an argument holds a NUL byte")
    return value


Name = Annotated[str, AfterValidator(_name)]
"""A DNS-1123 label."""

Labels = Annotated[dict[str, str], AfterValidator(_labels)]
"""Label keys and values in Kubernetes' syntax."""

Environment = Annotated[dict[str, str], AfterValidator(_environment)]
"""Environment variables by name."""

Variable = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable."""

Argv = Annotated[tuple[str, ...], AfterValidator(_argv)]
"""A program and its arguments; never a shell line."""
