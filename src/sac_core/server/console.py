"""The console's files, and a plain page that says how to make them when they are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sac_core.errors import NotFoundError
from sac_core.server.call import Call
from sac_core.server.route import PUBLIC, Route

STATIC: Final = Path(__file__).parent / "static"
_FOREVER: Final = "public, max-age=31536000, immutable"
_MISSING: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>SAC</title>
<h1>SAC runs, but its console has not been built</h1>
<p>In the source folder, <code>make run</code> builds it and starts SAC.
The API is served under <code>/api/v1</code>.</p>
"""


def console_routes(folder: Path = STATIC) -> list[Route]:
    """The console's page and its files. ``folder`` is looked at for every request, so a build needs no restart."""
    files = _Files(folder)
    return [
        Route("GET", "/", PUBLIC, files.page, "The console", documented=False),
        Route("GET", "/{path:path}", PUBLIC, files.file, "A file of the console", documented=False),
    ]


class _Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._static = StaticFiles(directory=folder, check_dir=False)

    async def page(self, call: Call) -> ASGIApp:
        if not (self._folder / "index.html").is_file():
            return HTMLResponse(_MISSING, headers={"Cache-Control": "no-cache"})
        return await self._get("index.html", call, "no-cache")

    async def file(self, call: Call) -> ASGIApp:
        path = str(call.scope["path_params"]["path"])
        if path.startswith("api/"):
            raise NotFoundError("there is nothing at this address", hint="see /openapi.json")
        return await self._get(path, call, _FOREVER if path.startswith("assets/") else "no-cache")

    async def _get(self, path: str, call: Call, cache: str) -> Response:
        try:
            response = await self._static.get_response(path, call.scope)
        except HTTPException:
            raise NotFoundError("there is nothing at this address") from None
        response.headers["Cache-Control"] = cache
        return response
