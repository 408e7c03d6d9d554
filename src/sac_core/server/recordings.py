"""The routes of recordings alone."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.types import ASGIApp

from sac_core.server.call import Call
from sac_core.server.route import Route
from sac_core.server.streams import Form, Streamed

CAST = "application/x-asciicast"


def recording_routes() -> Iterator[Route]:
    """The routes of recordings alone."""
    yield Route("GET", "/api/v1/recordings/{name}/cast", "recordings:cast", cast, "A recording as asciicast v2",
                media_type=CAST)  # fmt: skip


async def cast(call: Call) -> ASGIApp:
    return Streamed(call, call.sac.recordings.cast(call.name), Form(CAST, bytes))
