"""What changes among objects of a kind: listed, then watched, for ever. It never gives up, and never spins."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import anyio

from sac_core.errors import UnavailableError
from sac_executor_kubernetes.cluster import Cluster, selector_query
from sac_executor_kubernetes.troubles import Refusal

Object = Mapping[str, Any]
T = TypeVar("T")

_OPEN, _JITTER = 20, 10
"""Seconds that a watch is left open: one that has gone silent is opened anew by then."""
_SILENCE = 35.0
_RELIST = 600.0
"""Seconds after which all is listed again: what a watch has left out is found by then."""
_PAGE = 250
"""Objects in one answer of a list."""
_FIRST, _LONGEST = 0.5, 30.0
_GONE, _BUSY = 410, 429


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """All objects there are; what changed before may have been missed."""

    items: tuple[T, ...]


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """One object that was added, changed or, with ``gone``, deleted."""

    item: T
    gone: bool


class _Expired(Exception):
    """The version to watch from is too old for the cluster."""


class Reflector(Generic[T]):
    """Follows the objects of a resource that a selector fits.

    ``keep`` makes of an object what is told of it, None to leave it out. ``heard`` is when the cluster last said
    anything, by the monotonic clock; None while what it says is missed. ``seen`` counts the cluster's changes so far.
    """

    def __init__(self, cluster: Cluster, resource: str, selector: str, *, keep: Callable[[Object], T | None]) -> None:
        self._cluster, self._resource, self._selector, self._keep = cluster, resource, selector, keep
        self._version = ""
        self._listed = 0.0
        self.heard: float | None = None
        self.seen = 0

    async def changes(self) -> AsyncGenerator[Listed[T] | Changed[T]]:
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
                self._version, self.heard = "", None
            except Refusal as error:
                self.heard = None
                least = (error.retry_after or 0.0) if error.status == _BUSY else 0.0
            except UnavailableError:  # nobody answers, or breaks off
                self.heard = None
            if heard or time.monotonic() - began > _LONGEST:
                pause = _FIRST
            await anyio.sleep(max(least, pause * random.uniform(0.5, 1.0)))
            pause = min(pause * 2, _LONGEST)

    async def _round(self) -> AsyncGenerator[Listed[T] | Changed[T]]:
        if not self._version:
            yield await self._list()
        while True:
            began = time.monotonic()
            async with aclosing(self._watched()) as events:
                async for event in events:
                    yield event
            if time.monotonic() - self._listed > _RELIST:
                self._version = ""
                return
            if time.monotonic() - began < 1:  # it was closed at once: not so quickly again
                return

    async def _list(self) -> Listed[T]:
        """Page by page, of which only what is kept stays."""
        items: list[T] = []
        more = {"limit": str(_PAGE)}
        while True:
            path = f"{self._cluster.place(self._resource)}?{selector_query(self._selector, more)}"
            try:
                found = await self._cluster.raw(path)
            except Refusal as error:
                if error.status == _GONE:
                    raise _Expired from None
                raise
            items += [kept for each in found["items"] if (kept := self._keep(each)) is not None]
            following = found["metadata"].get("continue")
            if not following:
                self._reached(found["metadata"]["resourceVersion"])
                self._listed = time.monotonic()
                return Listed(tuple(items))
            more = {"limit": str(_PAGE), "continue": following}

    async def _watched(self) -> AsyncGenerator[Changed[T]]:
        more = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(_OPEN + random.randrange(_JITTER)),
        }
        path = f"{self._cluster.place(self._resource)}?{selector_query(self._selector, more)}"
        try:
            async with self._cluster.lines(path, silence=_SILENCE) as lines:
                self.heard = time.monotonic()
                async for change in self._read(lines):
                    yield change
        except Refusal as error:
            if error.status == _GONE:
                raise _Expired from None
            raise

    async def _read(self, lines: AsyncIterator[bytes]) -> AsyncGenerator[Changed[T]]:
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
            kept = None if kind == "BOOKMARK" else self._keep(item)
            self._reached(item["metadata"]["resourceVersion"])
            if kept is not None:
                yield Changed(kept, kind == "DELETED")

    def _reached(self, version: str) -> None:
        self.seen = int(version)
        self._version, self.heard = version, time.monotonic()
