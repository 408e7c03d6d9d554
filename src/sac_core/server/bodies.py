"""Reading a request's body: bounded in size and depth, a JSON object, of a type that is taken."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from pydantic_core import from_json
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from sac_core.errors import InvalidError, TooLargeError
from sac_core.server import headers
from sac_core.server.door import MediaTypeError

MAX_BODY: Final = 1024 * 1024
MAX_DROPPED: Final = 4 * MAX_BODY
"""Up to here a body that is too large is read and dropped: its sender gets an answer and no broken pipe."""
MAX_DEPTH: Final = 32
_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


async def read_object(scope: Any, receive: Receive) -> dict[str, Any]:
    """The body as an object; raises `InvalidError`, `TooLargeError` or `MediaTypeError`."""
    _check_type(scope)
    body = await _read(scope, receive)
    _check_depth(body)
    try:
        data = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidError(f"the body is not JSON: {error}", field="body") from None
    json.loads(body, object_pairs_hook=_each_once)  # the parser above takes the last of two equal keys
    if not isinstance(data, dict):
        raise InvalidError("the body must be a JSON object", field="body")
    return data


def _check_type(scope: Any) -> None:
    given = (headers.single(scope, b"content-type") or "").partition(";")[0].strip().lower()
    if given not in _TYPES:
        raise MediaTypeError(
            f"a body of type {given[:80] or 'unknown'!r} is not taken",
            field="Content-Type",
            hint="send application/json",
        )


async def _read(scope: Any, receive: Receive) -> bytes:
    announced = headers.single(scope, b"content-length") or "0"
    if announced.isdigit() and int(announced[:12]) > MAX_DROPPED:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    async for part in _parts(receive):
        size += len(part)
        if size > MAX_DROPPED:
            break
        if size <= MAX_BODY:
            parts.append(part)
    if size > MAX_BODY:
        raise _too_large()
    return b"".join(parts)


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _check_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS.finditer(body):
        first = body[match.start()]
        depth += 1 if first in b"[{" else -1 if first in b"]}" else 0
        if depth > MAX_DEPTH:
            raise InvalidError(f"the body is nested deeper than {MAX_DEPTH}", reason="TooDeep", field="body")


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    """Raise `InvalidError` for a key that is there twice: who reads the first would be deceived by the last."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise InvalidError("this key is there twice", field=key[:80], hint="give it once")
        seen.add(key)


def _too_large() -> TooLargeError:
    return TooLargeError(f"the body is larger than {MAX_BODY} bytes", field="body")
