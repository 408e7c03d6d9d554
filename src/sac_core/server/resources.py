"""The routes that every registered kind has: one for each of its verbs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field, create_model
from pydantic.alias_generators import to_snake
from starlette.responses import Response
from starlette.types import ASGIApp

from sac_core.contracts.sac import Resources
from sac_core.errors import InvalidError, NotFoundError
from sac_core.models.base import Model
from sac_core.models.envelope import API_VERSION
from sac_core.models.kind import Kind
from sac_core.server.answers import JSON, document, encoded
from sac_core.server.call import Call
from sac_core.server.events import server_sent, since
from sac_core.server.route import Route

_LIST_QUERY = ("labelSelector", "fieldSelector", "limit", "continue", "watch", "since")


class ListMetadata(Model):
    """Of a list: the version of the read, and the token of the next page when there is one."""

    resource_version: str
    next_page: str | None = Field(default=None, alias="continue")


def kind_routes(kind: Kind) -> Iterator[Route]:
    """The routes of one kind."""
    verbs = _Verbs(kind)
    many, one = f"/api/v1/{kind.plural}", f"/api/v1/{kind.plural}/{{name}}"
    model, name = kind.model, f"{'an' if kind.singular[0] in 'aeiou' else 'a'} {kind.singular}"
    every = {
        "list": Route("GET", many, kind.permission("list"), verbs.list, f"List {kind.plural}, or watch them",
                      query=_LIST_QUERY, returns=_list_model(kind)),
        "create": Route("POST", many, kind.permission("create"), verbs.create, f"Create {name}",
                        body=model, returns=model, status=201),
        "get": Route("GET", one, kind.permission("get"), verbs.get, f"Read {name}", returns=model),
        "replace": Route("PUT", one, kind.permission("replace"), verbs.replace, f"Replace {name}",
                         body=model, returns=model),
        "patch": Route("PATCH", one, kind.permission("patch"), verbs.patch, f"Change {name} by merge patch",
                       body=AnyObject, returns=model),
        "delete": Route("DELETE", one, kind.permission("delete"), verbs.delete, f"Delete {name}",
                        query=kind.delete_flags, returns=model, status=202),
    }  # fmt: skip
    return (route for verb, route in every.items() if verb in kind.verbs)


class AnyObject(BaseModel, extra="allow"):
    """A JSON object; a merge patch (RFC 7396) of the thing's wire form."""


def _list_model(kind: Kind) -> type[BaseModel]:
    return create_model(
        f"{kind.kind}List",
        apiVersion=(str, API_VERSION),
        kind=(str, f"{kind.kind}List"),
        metadata=(ListMetadata, ...),
        items=(list[kind.model], ...),  # type: ignore[name-defined]
    )


class _Verbs:
    """The handlers of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def _things(self, call: Call) -> Resources[Any]:
        return call.sac.resources(self._kind.plural)

    async def list(self, call: Call) -> ASGIApp:
        labels = call.query.get("labelSelector", "")
        if call.flag("watch"):
            return server_sent(call, self._things(call).watch(label_selector=labels, since=since(call)))
        page = await self._things(call).list(
            label_selector=labels,
            field_selector=call.query.get("fieldSelector", ""),
            limit=call.whole("limit") or 0,
            after=call.query.get("continue") or None,
        )
        metadata = {"resourceVersion": str(page.version), **({"continue": page.next} if page.next else {})}
        head = encoded({"apiVersion": API_VERSION, "kind": f"{self._kind.kind}List", "metadata": metadata})
        items = b",".join(encoded(item) for item in page.items)
        return Response(b'%s,"items":[%s]}' % (head[:-1], items), media_type=JSON)

    async def create(self, call: Call) -> ASGIApp:
        thing = await self._things(call).create_from(await call.body(), idempotency_key=idempotency_key(call))
        location = f"{call.scope.get('root_path', '')}/api/v1/{self._kind.plural}/{thing.metadata.name}"
        return one(thing, 201, {"Location": location})

    async def get(self, call: Call) -> ASGIApp:
        return one(await self._things(call).get(call.name))

    async def replace(self, call: Call) -> ASGIApp:
        body = await call.body()
        return one(await self._things(call).replace_from(call.name, body, resource_version=if_match(call)))

    async def patch(self, call: Call) -> ASGIApp:
        body = await call.body()
        return one(await self._things(call).patch(call.name, body, resource_version=if_match(call)))

    async def delete(self, call: Call) -> ASGIApp:
        things = self._things(call)
        asked = {to_snake(flag): True for flag in self._kind.delete_flags if call.flag(flag)}
        await things.delete(call.name, resource_version=if_match(call), **asked)
        try:
            return one(await things.get(call.name), 202)
        except NotFoundError:
            return document({}, 202)


def one(thing: Any, status: int = 200, headers: dict[str, str] | None = None) -> ASGIApp:
    """One declared thing, its version as ETag."""
    return document(thing, status, {"ETag": f'"{thing.metadata.resource_version}"', **(headers or {})})


def if_match(call: Call) -> str | None:
    """The version of If-Match; None when it is absent or `*`."""
    value = (call.header(b"if-match") or "*").strip()
    if value == "*":
        return None
    return value.removeprefix("W/").strip('"')


def idempotency_key(call: Call) -> str | None:
    """The Idempotency-Key; raises `InvalidError` when it is empty, long or not printable ASCII."""
    key = call.header(b"idempotency-key")
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise InvalidError("it must be 1 to 255 printable ASCII characters", field="Idempotency-Key")
    return key
