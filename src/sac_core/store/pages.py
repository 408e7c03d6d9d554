"""The token of a page: the tenant and name after which the next part begins."""

from __future__ import annotations

import base64
import binascii
import json

from sac_core.contracts.store import Record
from sac_core.errors import InvalidError


def token_after(record: Record) -> str:
    """The token of what follows a record."""
    text = json.dumps([record.tenant, record.name], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(token: str) -> tuple[str, str]:
    """The tenant and name of a token; raises `InvalidError` when it is none of ours."""
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        tenant, name = json.loads(text)
    except (binascii.Error, ValueError, TypeError):
        raise _unknown() from None
    if not isinstance(tenant, str) or not isinstance(name, str):
        raise _unknown()
    return tenant, name


def _unknown() -> InvalidError:
    return InvalidError(
        "this is not a token of a list", field="continue", hint="leave it out to begin again from the first page"
    )
