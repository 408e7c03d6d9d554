"""What changes among objects of a kind: listed, then watched, for ever. It never gives up, and never spins."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import anyio

from sac_core.errors import UnavailableError
from sac_executor_kubernetes.cluster import Cluster, selector_query
from sac_executor_kubernetes.troubles import Refusal

Object = Mapping[str, Any]

_OPEN, _JITTER = 25, 10
"""Seconds that a watch is left open: one that has gone silent is opened anew by then."""
_SILENCE = 50.0
_FIRST, _LONGEST = 0.5, 30.0
_GONE, _BUSY = 410, 429


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects there are; what changed before may have been missed."""

    items: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One object that was added, changed or, with ``gone``, deleted."""

    item: Object
    gone: bool


class _Expired(Exception):
    """The version to watch from is too old for the cluster."""


class Reflector:
    """Follows the objects of a resource that a selector fits."""

    def __init__(self, cluster: Cluster, resource: str, selector: str) -> None:
        self._cluster, self._resource, self._selector = cluster, resource, selector
        self._version = ""

    async def changes(self) -> AsyncGenerator[Listed | Changed]:
        """A list first, and after whatever may have been missed; between them single changes."""
        pause = _FIRST
        while True:
            began, heard, least = time.monotonic(), False, 0.0
            try:
                async with aclosing(self._round()) as found:
                    async for change in found:
                        heard = True
                        yield change
            except (_Expired, KeyError, TypeError, ValueError):  # also of what is no answer of a cluster's
                self._version = ""
            except Refusal as error:
                least = (error.retry_after or 0.0) if error.status == _BUSY else 0.0
            except UnavailableError:  # nobody answers, or breaks off
                pass
            if heard or time.monotonic() - began > _LONGEST:
                pause = _FIRST
            await anyio.sleep(max(least, pause * random.uniform(0.5, 1.0)))
            pause = min(pause * 2, _LONGEST)

    async def _round(self) -> AsyncGenerator[Listed | Changed]:
        if not self._version:
            path = f"{self._cluster.place(self._resource)}?{selector_query(self._selector, {})}"
            found = await self._cluster.raw(path)
            self._version = found["metadata"]["resourceVersion"]
            yield Listed(tuple(found["items"]))
        while True:
            began = time.monotonic()
            async with aclosing(self._watched()) as events:
                async for event in events:
                    yield event
            if time.monotonic() - began < 1:  # it was closed at once: not so quickly again
                return

    async def _watched(self) -> AsyncGenerator[Changed]:
        more = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(_OPEN + random.randrange(_JITTER)),
        }
        path = f"{self._cluster.place(self._resource)}?{selector_query(self._selector, more)}"
        try:
            async with self._cluster.lines(path, silence=_SILENCE) as lines:
                async for change in self._read(lines):
                    yield change
        except Refusal as error:
            if error.status == _GONE:
                raise _Expired from None
            raise

    async def _read(self, lines: AsyncIterator[bytes]) -> AsyncGenerator[Changed]:
        async for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # it was cut off: the next watch begins behind the last whole one
                return
            kind, item = event["type"], event["object"]
            if kind == "ERROR":
                if item.get("code") == _GONE:
                    raise _Expired
                raise Refusal(int(item.get("code") or 500), str(item.get("message") or "the watch failed"))
            self._version = item["metadata"]["resourceVersion"]
            if kind != "BOOKMARK":
                yield Changed(item, kind == "DELETED")
