"""Problem documents (RFC 9457) and the errors that they carry, both ways.

A document is ``{"type", "title", "status", "detail", "reason", "field"?, "hint"?, "current"?, "retryAfter"?}``;
``reason`` is stable, ``type`` is ``urn:sac:error:<class>``.
"""

from __future__ import annotations

from typing import Any, Final

from sac_core import errors as e

CONTENT_TYPE: Final = "application/problem+json"

_STATUS: Final[dict[type[e.SacError], int]] = {
    e.TooLargeError: 413,
    e.InvalidError: 422,
    e.UnauthenticatedError: 401,
    e.ForbiddenError: 403,
    e.NotFoundError: 404,
    e.ConflictError: 409,
    e.ExpiredError: 410,
    e.NotReadyError: 425,
    e.UnsupportedError: 501,
    e.LaunchError: 424,
    e.DeadlineError: 504,
    e.UnavailableError: 503,
    e.LostError: 502,
    e.ConfigurationError: 500,
    e.SacError: 500,
}
_BY_NAME: Final = {cls.__name__: cls for cls in _STATUS}


def status(error: e.SacError) -> int:
    """The HTTP status of an error."""
    return next(_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)


def encode(error: e.SacError) -> dict[str, Any]:
    """The problem document of an error."""
    name = next(cls.__name__ for cls in type(error).__mro__ if cls in _STATUS)
    optional = {
        "field": error.field,
        "hint": error.hint,
        "current": getattr(error, "current", None),
        "retryAfter": getattr(error, "retry_after", None),
    }
    return {
        "type": f"urn:sac:error:{name.removesuffix('Error').lower()}",
        "title": name.removesuffix("Error"),
        "status": status(error),
        "detail": error.message,
        "reason": error.reason,
        **{key: value for key, value in optional.items() if value is not None},
    }


def decode(document: dict[str, Any], *, http_status: int = 500) -> e.SacError:
    """The error of a problem document; what is no such document becomes an error of the status's class."""
    cls = _BY_NAME.get(f"{document.get('title')}Error") or _by_status(int(document.get("status", http_status)))
    message = str(document.get("detail") or document.get("title") or f"the server answered {http_status}")
    common = {name: document.get(name) for name in ("reason", "field", "hint")}
    if issubclass(cls, e.ConflictError):
        return cls(message, current=document.get("current"), **common)
    if issubclass(cls, e.UnavailableError):
        return cls(message, retry_after=document.get("retryAfter"), **common)
    return cls(message, **common)


def _by_status(code: int) -> type[e.SacError]:
    return next((cls for cls, number in _STATUS.items() if number == code), e.SacError)
