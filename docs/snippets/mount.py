from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import sac_core

sac_app = sac_core.create_app(sac_core.open_core)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with sac_app.router.lifespan_context(sac_app):
        yield


async def home(request: object) -> PlainTextResponse:
    return PlainTextResponse("your own service")


app = Starlette(routes=[Route("/", home), Mount("/sac", sac_app)], lifespan=lifespan)
