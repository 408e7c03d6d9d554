"""Ports on the command line: NAME:NUMBER, or NUMBER alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sac_core.errors import InvalidError


def parse_ports(given: Sequence[str]) -> list[dict[str, Any]]:
    """The ports as a spec has them; one without a name is named after its number."""
    return [_port(text) for text in given]


def _port(text: str) -> dict[str, Any]:
    name, colon, number = text.rpartition(":")
    if not number.isdecimal() or (colon and not name):
        raise InvalidError(
            f"{text!r} is no port", field="--port", reason="Usage", hint="for example: --port 8000 or --port web:8000"
        )
    return {"name": name or f"p{number}", "port": int(number)}
