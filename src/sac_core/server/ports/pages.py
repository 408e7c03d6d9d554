"""What SAC itself says at the host name of a port: plain pages for people, problem documents for programs."""

from __future__ import annotations

import html
from typing import Any, Final

from starlette.responses import HTMLResponse, Response

from sac_core.errors import NotReadyError, SacError
from sac_core.server import headers
from sac_core.server.answers import problem_response
from sac_core.server.door import Arrival
from sac_core.wire import problem

GUARD: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>{title}</h1>
<p>{message}</p>
<p>{hint}</p>
</html>
"""
_TITLES: Final = {
    401: "Sign in to see this port",
    403: "This is not allowed",
    404: "There is no such port",
    502: "The agent's server does not answer",
    503: "The agent does not run",
    504: "The agent's server does not answer",
}


def explanation(error: Exception, scope: Any, arrival: Arrival) -> Response:
    """An error as a page, if the client takes one, else as a problem document."""
    shown = error if isinstance(error, SacError) else SacError("the server failed; its log says why")
    status = _status(shown)
    if scope["type"] == "http" and "text/html" in (headers.single(scope, b"accept") or ""):
        response: Response = HTMLResponse(_page(status, shown), status, GUARD)
    else:
        response = problem_response(shown, status=status, headers=GUARD)
    response.headers["X-Request-ID"] = arrival.request_id
    if scope["type"] == "http":  # nobody reads what the client may still be sending
        response.headers["Connection"] = "close"
    return response


def _status(error: SacError) -> int:
    """A gateway's words: 425 would say something else to a browser."""
    if isinstance(error, NotReadyError):
        return 502 if error.reason == "NothingListens" else 503
    return problem.status(error)


def _page(status: int, error: SacError) -> str:
    title = _TITLES.get(status, "This did not work") if error.reason != "Busy" else "Too many connections are open"
    message, hint = error.message, error.hint or ""
    return _PAGE.format(title=html.escape(title), message=_sentence(message), hint=_sentence(hint))


def _sentence(text: str) -> str:
    return html.escape(text[:1].upper() + text[1:] + ("." if text else ""))
