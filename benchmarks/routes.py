"""The peers of `GET` of one agent: a Starlette route making the same SELECT on the same engine, and a bare route.

Served as SAC's own are: uvicorn, uvloop, no access log. Prints its port.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sac_core.store import engine, postgres_engine
from sac_core.store.listing import RECORD
from sac_core.store.tables import resources

_ONE = (
    select(*RECORD)
    .where(resources.c.kind == bindparam("kind"), resources.c.name == bindparam("name"))
    .where(resources.c.tenant == bindparam("tenant"))
    .limit(2)
)


def engine_of(database: str) -> AsyncEngine:
    """SAC's own engine for reading: of a URL of PostgreSQL, or of a file."""
    if database.startswith("postgresql://"):
        return postgres_engine.read_engine(postgres_engine.postgres_url(database))
    return engine.read_engine(Path(database))


def routes_of(database: str) -> list[Route]:
    """``/agents/{name}`` and ``/bare/{name}``."""
    reading = engine_of(database)

    async def one(request: Request) -> JSONResponse:
        parameters = {"kind": "Agent", "name": request.path_params["name"], "tenant": "default"}
        async with reading.connect() as connection:
            row = (await connection.execute(_ONE, parameters)).one()
        metadata = {"name": row.name, "namespace": row.tenant, "uid": row.uid, "owner": row.owner}
        metadata |= {"labels": json.loads(row.labels), **json.loads(row.meta)}
        metadata |= {"generation": row.generation, "resourceVersion": str(row.resource_version)}
        spec, status = json.loads(row.spec), json.loads(row.status)
        return JSONResponse(
            {"apiVersion": "sac/v1", "kind": row.kind, "metadata": metadata} | {"spec": spec, "status": status}
        )

    async def bare(request: Request) -> JSONResponse:
        return JSONResponse({"metadata": {"name": request.path_params["name"]}})

    return [Route("/agents/{name}", one), Route("/bare/{name}", bare)]


async def serve(database: str) -> None:
    """Serve on a free port until this process is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    app = Starlette(routes=routes_of(database))
    config = uvicorn.Config(app, access_log=False, server_header=False, proxy_headers=False, log_config=None)
    await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
