"""OpenAPI 3.1 from the same table that is served."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from openapi_pydantic import (
    Components,
    DataType,
    Info,
    MediaType,
    OpenAPI,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Server,
)  # fmt: skip
from openapi_pydantic.util import PydanticSchema, construct_open_api_with_schema_class
from pydantic import BaseModel

import sac_core
from sac_core.server.route import PUBLIC, Route, parameters, plain
from sac_core.wire.problem import CONTENT_TYPE


class Problem(BaseModel):
    """An error (RFC 9457); ``reason`` is stable."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    field: str | None = None
    hint: str | None = None
    current: str | None = None
    retryAfter: float | None = None


@lru_cache(maxsize=8)
def describe(table: tuple[Route, ...], root_path: str) -> bytes:
    """The document's bytes."""
    paths: dict[str, PathItem] = {}
    for route in sorted(table, key=lambda route: route.method == "WS"):
        if route.documented:
            _add(paths.setdefault(plain(route.path), PathItem()), route)
    document = OpenAPI(
        openapi="3.1.1",
        info=Info(title="SAC", version=sac_core.__version__, summary="Runs AI coding agents in isolated sandboxes."),
        servers=[Server(url=root_path or "/")],
        paths=paths,
        components=Components(
            securitySchemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "page": SecurityScheme(type="apiKey", name="X-SAC-Secret", security_scheme_in="header"),
            }
        ),
    )
    complete = construct_open_api_with_schema_class(document)
    return complete.model_dump_json(by_alias=True, exclude_none=True, exclude_unset=True).encode()


def _add(item: PathItem, route: Route) -> None:
    method = "get" if route.method == "WS" else route.method.lower()
    if route.method == "WS" and item.get is not None:
        item.get.description = f"Also as a WebSocket with subprotocol `{route.subprotocol}`: {route.summary}."
        return
    setattr(item, method, _operation(route))


def _operation(route: Route) -> Operation:
    return Operation(
        summary=route.summary,
        description=None if route.permission == PUBLIC else f"Permission: `{route.permission}`.",
        operationId=_operation_id(route),
        tags=[_tag(route)],
        security=[] if route.permission == PUBLIC else [{"bearer": []}, {"page": []}],
        parameters=_parameters(route) or None,
        requestBody=_request(route),
        responses={**_success(route), "default": _content("An error", Problem, CONTENT_TYPE)},
    )


def _operation_id(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *words])


def _tag(route: Route) -> str:
    parts = route.path.split("/")
    return parts[3] if route.path.startswith("/api/v1/") else "server"


def _parameters(route: Route) -> list[Parameter | Reference]:
    names = parameters(route.path)
    query = (*route.query, *(() if route.permission == PUBLIC else ("namespace",)))
    text = Schema(type=DataType.STRING)
    return [
        *(Parameter.model_validate({"name": name, "in": "path", "required": True, "schema": text}) for name in names),
        *(Parameter.model_validate({"name": name, "in": "query", "schema": text}) for name in query),
    ]


def _request(route: Route) -> RequestBody | None:
    if route.takes:
        anything = MediaType(media_type_schema=Schema(type=DataType.STRING))
        return RequestBody(required=True, content={route.takes: anything})
    if route.body:
        return RequestBody(required=True, content={"application/json": _media(route.body)})
    return None


def _success(route: Route) -> dict[str, Response]:
    if route.method == "WS":
        return {"101": Response(description=f"A WebSocket with subprotocol `{route.subprotocol}`")}
    if route.status == 204:
        return {"204": Response(description="Done")}
    if route.returns is None:
        schema = Schema() if route.media_type == "application/json" else Schema(type=DataType.STRING)
        content: dict[str, Any] = {route.media_type: MediaType(media_type_schema=schema)}
        return {str(route.status): Response(description="Done", content=content)}
    return {str(route.status): _content("Done", route.returns, route.media_type)}


def _content(description: str, model: type[BaseModel], media_type: str) -> Response:
    return Response(description=description, content={media_type: _media(model)})


def _media(model: type[BaseModel]) -> MediaType:
    return MediaType(media_type_schema=PydanticSchema(schema_class=model))
