"""`sac.events.v1`: changes as they are committed (design section 7).

The client subscribes with ``{"type": "subscribe", "kinds": ["Agent"], "labelSelector": "...", "since": "42"}``, again
to change its mind; without ``since`` it gets what is there now as ADDED first. The server sends
``{"type": "ADDED" | "MODIFIED" | "DELETED", "version": "43", "object": {...}}``,
``{"type": "synced", "version": "43"}`` once it has caught up, and ``error`` (reason ``Expired``: subscribe without
``since``). Server-sent events carry the same objects: ``event`` is the type, ``id`` the version.
"""

from __future__ import annotations

from typing import Final

from sac_core.models.base import Model

SUBPROTOCOL: Final = "sac.events.v1"


class Subscribe(Model):
    """What a client wants to be told. ``kinds`` empty means every kind that it may list."""

    kinds: tuple[str, ...] = ()
    label_selector: str = ""
    since: str | None = None
