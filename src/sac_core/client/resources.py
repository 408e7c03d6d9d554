"""What every kind has, over HTTP."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from sac_core.client.connection import Connection
from sac_core.client.events import watch
from sac_core.client.kinds import RemoteKind
from sac_core.contracts.sac import Resources
from sac_core.models.base import Model, parse
from sac_core.models.change import Page

T = TypeVar("T", bound=Model)

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
PAGE = 500


class HttpResources(Resources[T], Generic[T]):
    """The things of one kind."""

    def __init__(self, connection: Connection, kind: RemoteKind) -> None:
        self._connection = connection
        self._kind = kind

    async def create_from(self, document: Mapping[str, Any], *, idempotency_key: str | None = None) -> T:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._read(await self._connection.request("POST", self._path(), json=dict(document), headers=headers))

    async def get(self, name: str) -> T:
        return self._read(await self._connection.request("GET", self._path(name)))

    async def list(
        self, *, label_selector: str = "", field_selector: str = "", limit: int = 0, after: str | None = None
    ) -> Page[T]:
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        items: builtins.list[T] = []
        version = 0
        while True:
            size = PAGE if limit == 0 else min(PAGE, limit - len(items))
            page = await self._page({**query, "limit": str(size), "continue": after or ""})
            items += page.items
            version = version or page.version
            after = page.next
            if after is None or len(items) == limit:
                return Page(tuple(items), version, after)

    def watch(self, *, label_selector: str = "", since: int | None = None) -> AsyncGenerator[Any]:
        return watch(self._connection, kinds=(self._kind.kind,), label_selector=label_selector, since=since)

    async def patch(self, name: str, patch: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        headers = {**MERGE_PATCH, **guard(resource_version)}
        return self._read(await self._connection.request("PATCH", self._path(name), json=dict(patch), headers=headers))

    async def replace_from(self, name: str, document: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        headers = guard(resource_version)
        body = dict(document)
        return self._read(await self._connection.request("PUT", self._path(name), json=body, headers=headers))

    async def delete(self, name: str, *, resource_version: str | None = None) -> None:
        await self._connection.request("DELETE", self._path(name), headers=guard(resource_version))

    async def _page(self, query: Mapping[str, str]) -> Page[T]:
        given = {name: value for name, value in query.items() if value}
        answer = await self._connection.request("GET", self._path(), query=given)
        metadata = answer["metadata"]
        items = tuple(self._read(item) for item in answer["items"])
        return Page(items, int(metadata["resourceVersion"]), metadata.get("continue") or None)

    def _path(self, *parts: str) -> str:
        return segments(self._kind.plural, *parts)

    def _read(self, document: Any) -> T:
        model: type[Any] = self._kind.model
        read: T = parse(model, document, field=self._kind.singular)
        return read


def segments(*parts: str) -> str:
    """A path of names, each escaped: a name that holds a slash stays one segment."""
    return "".join("/" + quote(part, safe="") for part in parts)


def guard(resource_version: str | None) -> dict[str, str]:
    """The header that has a change made only to this version."""
    return {"If-Match": f'"{resource_version}"'} if resource_version else {}
