"""Building an image: what is asked for, and the lines of the answer, one JSON object each.

A line is ``{"line": TEXT}``; the last one of a build that failed is ``{"problem": DOCUMENT}``.
"""

from __future__ import annotations

import json
from typing import Final

from sac_core.errors import LostError, SacError
from sac_core.models.base import Model
from sac_core.models.names import Name
from sac_core.models.recipe import ImageName
from sac_core.wire import problem

MEDIA_TYPE: Final = "application/x-ndjson"
IDLE: Final = b"\n"


class BuildRequest(Model):
    """Of which runtime; by which executor or target, from which base and under which name, where others are wanted."""

    runtime: Name
    executor: str | None = None
    base: ImageName | None = None
    tag: ImageName | None = None


def encode(line: str) -> bytes:
    """A line of progress."""
    return json.dumps({"line": line}).encode() + b"\n"


def encode_error(error: SacError) -> bytes:
    """Why it failed."""
    return json.dumps({"problem": problem.encode(error)}).encode() + b"\n"


def decode(line: str) -> str | None:
    """A line of progress, None for an empty one; raises the error that it carries, `LostError` for what is none."""
    if not line.strip():
        return None
    try:
        told = json.loads(line)
        if "problem" in told:
            raise problem.decode(told["problem"])
        return str(told["line"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise LostError("the server's answer cannot be read") from None
