"""The forms of an answer: a document, a problem, a refusal of a socket."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response
from starlette.types import Send

from sac_core.errors import SacError
from sac_core.models.base import Model
from sac_core.server.headers import Header, complete
from sac_core.server.hosts import Authority
from sac_core.wire import problem

JSON = "application/json"


def document(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON document: a model in its wire form, or plain data."""
    return Response(encoded(body), status, headers, JSON)


def encoded(body: Any) -> bytes:
    """The bytes of a model's wire form, or of plain data."""
    if isinstance(body, Model):
        return body.model_dump_json(by_alias=True, exclude_none=True).encode()
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def problem_response(error: SacError, *, status: int | None = None, headers: dict[str, str] | None = None) -> Response:
    """An error as a problem document; ``status`` overrides that of its class (404 of a route, 405, 415)."""
    body = problem.encode(error)
    body["status"] = status or body["status"]
    extra = dict(headers or {})
    if body["status"] == 401:
        extra["WWW-Authenticate"] = "Bearer"
    if body.get("retryAfter") is not None:
        extra["Retry-After"] = str(max(1, round(body["retryAfter"])))
    return Response(encoded(body), body["status"], extra, problem.CONTENT_TYPE)


async def refuse_socket(
    scope: Any, send: Send, response: Response, authority: Authority | None, request_id: str
) -> None:
    """Answer a handshake with HTTP, before it is accepted."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers: list[Header] = complete(list(response.raw_headers), authority, request_id)
    await send({"type": "websocket.http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})
