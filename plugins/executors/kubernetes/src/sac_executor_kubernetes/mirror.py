"""What the cluster has told of the Deployments and pods of this installation: looks at agents at rest cost it nothing.

It is never older than what was read or written here, and says when it may be older than the cluster. What is decided
on an old look must do no harm: who ends something, or says that it has ended, reads for himself.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from sac_core.contracts.executor import RESYNC, Resync
from sac_core.models.body import Key
from sac_executor_kubernetes.cluster import Cluster
from sac_executor_kubernetes.naming import object_name, ours, read_key
from sac_executor_kubernetes.pods import Pod, read_pod
from sac_executor_kubernetes.reflector import Listed, Object, Reflector
from sac_executor_kubernetes.seeing import Workload, read_workload

T = TypeVar("T")
Hint = Key | Resync

_RUMOURS = 120.0
"""Seconds after which nothing older is heard of a Deployment that was removed."""
_SILENT = 40.0
"""Seconds after which a cluster that said nothing is asked: watches are opened anew before."""


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """An object of a body: ``name`` is the object's own, ``version`` the cluster's count of changes."""

    key: Key
    name: str
    version: int
    value: T


@dataclass(slots=True)
class _Kind(Generic[T]):
    """Objects of a kind by the agent's uid and their own name."""

    reflector: Reflector[Item[T]]
    synced: bool = False
    items: dict[str, dict[str, Item[T]]] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    """What was read of a body since the watch's last word; older words of it are nothing new."""
    last: int = 0

    @property
    def fresh(self) -> bool:
        """Whether it is as the cluster has it, but for what is on its way."""
        heard = self.reflector.heard
        return self.synced and heard is not None and time.monotonic() - heard < _SILENT

    def of(self, uid: str) -> list[T]:
        return [item.value for item in self.items.get(uid, {}).values()]

    def put(self, item: Item[T]) -> bool:
        """Take what was told, unless something newer is known; whether it was taken."""
        uid = item.key.uid
        before = self.items.get(uid, {}).get(item.name)
        if item.version <= self.floors.get(uid, 0) or (before is not None and item.version <= before.version):
            return False
        self.items.setdefault(uid, {})[item.name] = item
        return True

    def drop(self, item: Item[T]) -> bool:
        """Take it that an object is gone."""
        uid = item.key.uid
        before = self.items.get(uid, {}).get(item.name)
        if before is None or before.version > item.version:
            return False
        del self.items[uid][item.name]
        if not self.items[uid]:
            del self.items[uid]
        return True

    def listed(self, found: Iterable[Item[T]], version: int) -> set[Key]:
        """Take a list of all; whose objects are others than before."""
        if version < self.last:  # the cluster was restored: its count begins anew
            self.items, self.floors = {}, {}
        self.last = version
        now = {(item.key.uid, item.name): item for item in found}
        before = [item for items in list(self.items.values()) for item in list(items.values())]
        gone = [item for item in before if item.version <= version and (item.key.uid, item.name) not in now]
        changed = {item.key for item in gone if self.drop(replace(item, version=version))}
        self.synced = True
        return changed | {item.key for item in now.values() if self.put(item)}

    def read(self, key: Key, found: Iterable[Item[T]], version: int) -> None:
        """Take what a list of one body's objects says, unless the watch is further."""
        if version <= self.reflector.seen:
            return
        items = list(found)
        names = {item.name for item in items}
        for item in list(self.items.get(key.uid, {}).values()):
            if item.name not in names:
                self.drop(replace(item, version=max(version, item.version)))
        for item in items:
            self.put(item)
        self.floors[key.uid] = version

    def passed(self) -> None:
        """Forget what the watch is beyond."""
        if self.floors:
            seen = self.reflector.seen
            self.floors = {uid: version for uid, version in self.floors.items() if version > seen}


class Mirror:
    """Follows from the first `begin` on, for as long as the executor is open."""

    def __init__(self, cluster: Cluster, owner: str, tasks: TaskGroup) -> None:
        selector = ours(owner, "sac/uid")
        self._deployments = _Kind(Reflector(cluster, "deployments", selector, keep=workload_item))
        self._pods = _Kind(Reflector(cluster, "pods", selector, keep=pod_item))
        self._tasks, self._begun = tasks, False
        self._met: set[str] = set()
        self._removed: dict[str, float] = {}
        self._listeners: set[Callable[[Hint], None]] = set()

    def begin(self) -> None:
        """Follow; again is harmless."""
        if not self._begun:
            self._begun = True
            self._tasks.start_soon(self._follow, self._deployments, name="mirror deployments")
            self._tasks.start_soon(self._follow, self._pods, name="mirror pods")

    @property
    def fresh(self) -> bool:
        """Whether it is as the cluster is, but for what is on its way."""
        return self._deployments.fresh and self._pods.fresh

    def workload(self, key: Key) -> Workload | None:
        """The Deployment of a body, with its pods."""
        found = self._deployments.of(key.uid)
        return replace(found[0], pods=self.pods(key)) if found else None

    def pods(self, key: Key) -> list[Pod]:
        """The pods of a body."""
        return self._pods.of(key.uid)

    def all(self) -> tuple[list[Workload], dict[Key, list[Pod]]]:
        """Every Deployment, and by key the pods of those that are gone."""
        there = self._deployments.items
        workloads = [replace(each, pods=self._pods.of(uid)) for uid in there for each in self._deployments.of(uid)]
        strays = {uid: items for uid, items in self._pods.items.items() if uid not in there}
        return workloads, {
            next(iter(items.values())).key: [item.value for item in items.values()] for items in strays.values()
        }

    def met(self, key: Key) -> bool:
        """Whether there has been anything of a body since this server follows; `forget` ends that."""
        return key.uid in self._met

    def forget(self, key: Key) -> None:
        """A body is gone for good, as far as we know."""
        self._met.discard(key.uid)

    # what was read and written here

    def removed(self, workload: Workload) -> None:
        """A Deployment that was removed from here: older words of it, which are still on their way, are nothing."""
        now = time.monotonic()
        self._removed = {uid: at for uid, at in self._removed.items() if now - at < _RUMOURS} | {workload.uid: now}
        self._deployments.items.pop(workload.key.uid, None)

    def saw_deployment(self, found: Object) -> None:
        """A Deployment as the cluster answered it."""
        item = workload_item(found)
        if item is not None and item.version > self._deployments.reflector.seen:
            self._met.add(item.key.uid)
            self._deployments.put(item)

    def saw_pods(self, key: Key, found: Iterable[Object], version: str) -> None:
        """All pods of a body, as the cluster listed them."""
        self._pods.read(key, [item for each in found if (item := pod_item(each))], count_of(version))

    # who listens

    def listen(self, listener: Callable[[Hint], None]) -> Callable[[], None]:
        """Call with each key of which something changed, and with `RESYNC` when all is new; returns what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def pods_of(self, key: Key) -> AsyncGenerator[list[Pod]]:
        """The pods of a body, again after each change, for as long as somebody asks."""
        changed = anyio.Event()

        def hear(hint: Hint) -> None:
            if isinstance(hint, Resync) or hint.uid == key.uid:
                changed.set()

        self.begin()
        unlisten = self.listen(hear)
        try:
            while True:
                if self._pods.synced:
                    yield self.pods(key)
                await changed.wait()
                changed = anyio.Event()
        finally:
            unlisten()

    async def settled(self, workload: Workload, within: float) -> Workload:
        """It, as it is once the cluster has heard of it; as it was when that takes longer."""
        heard = anyio.Event()
        if not self.fresh:
            return workload

        def hear(hint: Hint) -> None:
            now = self.workload(workload.key)
            if now is not None and now.settled:
                heard.set()

        unlisten = self.listen(hear)
        try:
            hear(workload.key)
            with anyio.move_on_after(within):
                await heard.wait()
        finally:
            unlisten()
        now = self.workload(workload.key)
        return workload if now is None or count_of(now.version) < count_of(workload.version) else now

    # following

    async def _follow(self, kind: _Kind[Any]) -> None:
        async with aclosing(kind.reflector.changes()) as changes:
            async for change in changes:
                kind.passed()
                if isinstance(change, Listed):
                    self._tell_all(kind, change)
                elif kind.drop(change.item) if change.gone else self._put(kind, change.item):
                    self._tell(change.item.key)

    def _put(self, kind: _Kind[Any], item: Item[Any]) -> bool:
        return not self._is_removed(item) and kind.put(item)

    def _is_removed(self, item: Item[Any]) -> bool:
        return isinstance(item.value, Workload) and item.value.uid in self._removed

    def _tell_all(self, kind: _Kind[Any], listed: Listed[Item[Any]]) -> None:
        first = not kind.synced
        there = [item for item in listed.items if not self._is_removed(item)]
        for key in kind.listed(there, kind.reflector.seen):
            self._met.add(key.uid)
            if not first:
                self._tell(key)
        if first:
            self._tell(RESYNC)

    def _tell(self, hint: Hint) -> None:
        if isinstance(hint, Key):
            self._met.add(hint.uid)
        for listener in list(self._listeners):
            listener(hint)


def workload_item(found: Object) -> Item[Workload] | None:
    """A Deployment of the cluster's; None when it is not one of ours."""
    about = found["metadata"]
    key = read_key(about.get("labels") or {})
    if about["name"] != object_name(key):
        return None
    return Item(key, about["name"], count_of(about["resourceVersion"]), read_workload(found, []))


def pod_item(found: Object) -> Item[Pod] | None:
    """A pod of the cluster's."""
    about = found["metadata"]
    return Item(read_key(about.get("labels") or {}), about["uid"], count_of(about["resourceVersion"]), read_pod(found))


def count_of(version: str) -> int:
    """A version of the cluster's as a number; they are its store's count of changes, whatever else they may be."""
    return int(version) if version.isdecimal() else 0
