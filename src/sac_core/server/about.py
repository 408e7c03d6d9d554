"""What SAC says about itself: alive, ready, kinds, plugins, status, OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp

from sac_core.contracts.sac import PluginInfo, Status
from sac_core.models.base import Model
from sac_core.models.keys import KeyStatus
from sac_core.models.kind import Kind
from sac_core.server.answers import JSON, document, encoded
from sac_core.server.call import Call
from sac_core.server.openapi import describe
from sac_core.server.route import PUBLIC, SIGNED_IN, Route


class Plugins(Model):
    """What is installed."""

    items: tuple[PluginInfo, ...]


class KindColumn(Model):
    """One column of a list: heading, and dotted path of its value."""

    title: str
    path: str


class KindInfo(Model):
    """A registered kind, for commands and forms; ``spec`` is a JSON schema."""

    kind: str
    plural: str
    singular: str
    scope: str
    verbs: tuple[str, ...]
    columns: tuple[KindColumn, ...]
    generate_name: bool
    spec: dict[str, Any]


class Kinds(Model):
    """What may be declared here."""

    items: tuple[KindInfo, ...]


def about_routes() -> Iterator[Route]:
    """The routes of this module."""
    for path in ("/livez", "/health"):
        yield Route("GET", path, PUBLIC, alive, "Whether the server runs", documented=path == "/livez")
    for path in ("/readyz", "/ready"):
        yield Route("GET", path, PUBLIC, ready, "Whether it can serve", documented=path == "/readyz")
    yield Route("GET", "/openapi.json", PUBLIC, openapi, "This description")
    yield Route("GET", "/api/v1/kinds", SIGNED_IN, kinds, "What may be declared", returns=Kinds)
    yield Route("GET", "/api/v1/plugins", "plugins:list", plugins, "What is installed", returns=Plugins)
    yield Route("GET", "/api/v1/keys", "keys:get", keys, "The root keys, and their rotation", returns=KeyStatus)
    yield Route(
        "POST", "/api/v1/keys/rotate", "keys:rotate", rotate, "Change to another root key",
        returns=KeyStatus, status=202,
    )  # fmt: skip
    yield Route("GET", "/api/v1/status", "status:get", status, "The installation", returns=Status)


async def alive(call: Call) -> ASGIApp:
    return document({"status": "ok"})


async def ready(call: Call) -> ASGIApp:
    """Ready when the data directory is in place and the store answers; their error is the answer otherwise."""
    call.site.core.place.check()
    await call.site.readiness.check()
    return document({"status": "ok"})


async def openapi(call: Call) -> ASGIApp:
    return Response(describe(call.site.table, call.scope.get("root_path", "")), media_type=JSON)


async def kinds(call: Call) -> ASGIApp:
    infos = b",".join(_kind(kind) for kind in call.site.core.registry.kinds.values())
    return Response(b'{"items":[%s]}' % infos, media_type=JSON)


async def plugins(call: Call) -> ASGIApp:
    return document(Plugins(items=await call.sac.plugins()))


async def keys(call: Call) -> ASGIApp:
    return document(await call.sac.keys())


async def rotate(call: Call) -> ASGIApp:
    return document(await call.sac.rotate_keys(), 202)


async def status(call: Call) -> ASGIApp:
    return document(await call.sac.status())


@lru_cache(maxsize=64)
def _kind(kind: Kind) -> bytes:
    return encoded(
        KindInfo(
            kind=kind.kind,
            plural=kind.plural,
            singular=kind.singular,
            scope=kind.scope,
            verbs=kind.verbs,
            columns=tuple(KindColumn(title=column.title, path=column.path) for column in kind.columns),
            generate_name=kind.generate_name,
            spec=kind.spec.model_json_schema(by_alias=True),
        )
    )
