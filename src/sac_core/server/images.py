"""Building the image of a runtime: the builder's lines as they come."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.types import ASGIApp

from sac_core.models.base import parse
from sac_core.server.call import Call
from sac_core.server.route import Route
from sac_core.server.streams import Form, Streamed
from sac_core.wire import images as wire


def image_routes() -> Iterator[Route]:
    """The routes of images."""
    yield Route(
        "POST", "/api/v1/images", "images:build", build, "Build the image of a runtime",
        body=wire.BuildRequest, media_type=wire.MEDIA_TYPE,
    )  # fmt: skip


async def build(call: Call) -> ASGIApp:
    asked = parse(wire.BuildRequest, await call.body())
    lines = call.sac.build_image(asked.runtime, executor=asked.executor, base=asked.base, tag=asked.tag)
    return Streamed(call, lines, Form(wire.MEDIA_TYPE, wire.encode, idle=wire.IDLE, failed=wire.encode_error))
