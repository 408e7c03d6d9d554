"""What every kind has: create, get, list, watch, patch, replace and delete over the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sac_core.contracts.sac import Resources
from sac_core.contracts.store import Query, Record, Requirement, Scope, Store, Unit
from sac_core.errors import ConflictError, ForbiddenError, NotFoundError, UnsupportedError
from sac_core.models.change import Change, Page, Synced
from sac_core.models.kind import Kind, Verb
from sac_core.models.principal import PLATFORM
from sac_core.service import documents, idempotency
from sac_core.service.selectors import matches, parse_fields, parse_selector
from sac_core.service.services import Services

T = TypeVar("T")

_POLL = 30.0
_BATCH = 500


class StoredResources(Resources[T]):
    """The things of one kind in one scope. A kind with rules overrides `prepare_`, one with a timeline `explain_`."""

    fields: tuple[str, ...] = ("metadata.name", "status.phase")

    def __init__(self, services: Services, kind: Kind, scope: Scope) -> None:
        self._services = services
        self._kind = kind
        self._scope = scope_of(kind, scope)

    async def create_from(self, document: Mapping[str, Any], *, idempotency_key: str | None = None) -> T:
        self._allow("create")
        record = documents.new_record(self._kind, document, tenant=self._scope.tenant, owner=self._scope.principal.id)
        if idempotency_key is None:
            return self._model(await self._insert(record))
        store = self._services.store
        shown = self.fingerprint_(document)
        record, made = await idempotency.claim(store, self._scope, idempotency_key, record, shown)
        if made is None:
            made = await self._insert_once(record)
            await idempotency.done(store, self._scope, idempotency_key, made)
        return self._model(made)

    async def get(self, name: str) -> T:
        self._allow("get")
        return self._model(await self._read(name))

    async def list(
        self, *, label_selector: str = "", field_selector: str = "", limit: int = 0, after: str | None = None
    ) -> Page[T]:
        self._allow("list")
        query = Query(
            labels=parse_selector(label_selector, field="labelSelector"),
            fields=(*parse_fields(field_selector, self.fields), *self._own()),
            limit=limit,
            after=after,
        )
        page = await self._services.store.read(self._scope).list(self._kind.kind, query)
        return Page(tuple(map(self._model, page.items)), page.version, page.next)

    async def watch(self, *, label_selector: str = "", since: int | None = None) -> AsyncIterator[Change[T] | Synced]:
        self._allow("list")
        stream = watch(self._services, self._scope, (self._kind,), label_selector=label_selector, since=since)
        async for change in stream:
            yield change

    async def patch(self, name: str, patch: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        self._allow("patch")
        async with self._services.store.transaction(self._scope) as unit:
            old = await self._guarded(unit, name, resource_version)
            document = documents.merge(documents.as_document(old), patch)
            return self._model(await self._change(unit, old, document, "patch"))

    async def replace_from(self, name: str, document: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        self._allow("replace")
        given = document.get("metadata")
        inside = given.get("resourceVersion") if isinstance(given, Mapping) else None
        async with self._services.store.transaction(self._scope) as unit:
            old = await self._guarded(unit, name, resource_version or inside or None)
            return self._model(await self._change(unit, old, document, "replace"))

    async def delete(self, name: str, *, resource_version: str | None = None) -> None:
        self._allow("delete")
        async with self._services.store.transaction(self._scope) as unit:
            old = await self._guarded(unit, name, resource_version)
            await self._mark_deleted(unit, old, old)

    async def _mark_deleted(self, unit: Unit, old: Record, new: Record) -> None:
        """Mark what is there for deletion, as ``new`` has it; once."""
        if old.deleted_at is None:
            status = {**old.status, "phase": "Terminating", "reason": "", "message": ""}
            now = self._services.now()
            gone = await unit.update(replace(new, deleted_at=now, deadline=now, status=status))
            await self.explain_(unit, "delete", old, gone)

    def fingerprint_(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is compared with an earlier request of the same idempotency key."""
        return document

    async def prepare_(self, unit: Unit, record: Record) -> Record:
        """Check a new or changed record against the rest of the world, and derive what is stored with it."""
        return record

    async def explain_(self, unit: Unit, verb: str, old: Record | None, new: Record) -> None:
        """Say in a timeline who asked for what was just written; most kinds have none."""

    async def _insert(self, record: Record) -> Record:
        async with self._services.store.transaction(self._scope) as unit:
            new = await unit.insert(await self.prepare_(unit, record))
            await self.explain_(unit, "create", None, new)
            return new

    async def _insert_once(self, record: Record) -> Record:
        """Insert what a key was claimed for, unless the same request has done it at the same moment."""
        try:
            return await self._insert(record)
        except ConflictError as lost:
            try:
                return await self._services.store.read(self._scope).by_uid(record.kind, record.uid)
            except NotFoundError:
                raise lost from None

    async def _change(self, unit: Unit, old: Record, document: Mapping[str, Any], verb: str) -> Record:
        new = documents.changed_record(self._kind, old, document)
        if old.deleted_at is not None and new.spec != old.spec:
            raise ConflictError(f"{self._kind.singular} {old.name!r} is being deleted", reason="Terminating")
        if new == old:
            return old
        if new.generation != old.generation:
            new = await self.prepare_(unit, new)
        new = await unit.update(new)
        await self.explain_(unit, verb, old, new)
        return new

    async def _guarded(self, unit: Unit, name: str, resource_version: str | None) -> Record:
        record = self._seen(await unit.get(self._kind.kind, name))
        current = str(record.resource_version)
        if resource_version is not None and resource_version.strip('"') != current:
            raise ConflictError(
                f"{self._kind.singular} {name!r} has changed: its resourceVersion is {current}, not {resource_version}",
                field="metadata.resourceVersion",
                hint="read it again and repeat the change",
                current=current,
            )
        return record

    async def _read(self, name: str) -> Record:
        return self._seen(await self._services.store.read(self._scope).get(self._kind.kind, name))

    def _seen(self, record: Record) -> Record:
        """A record, if the scope's principal may see it; else it is as if it did not exist."""
        if not sees(self._scope, self._kind, record):
            raise NotFoundError(f"there is no {record.kind} {record.name!r}")
        return record

    def _own(self) -> tuple[Requirement, ...]:
        """What narrows a list to what the scope's principal may see."""
        if not self._kind.private or self._scope.everywhere:
            return ()
        return (Requirement("metadata.owner", "=", (self._scope.principal.id,)),)

    def _allow(self, verb: Verb) -> None:
        if verb not in self._kind.verbs:
            raise UnsupportedError(f"{self._kind.plural} have no verb {verb!r}")
        allow(self._scope, self._kind.permission(verb))

    def _model(self, record: Record) -> T:
        model: T = documents.to_model(self._kind, record)
        return model


def allow(scope: Scope, permission: str) -> None:
    """Raise `ForbiddenError` unless the scope's principal holds a permission."""
    if not scope.principal.may(permission):
        raise ForbiddenError(f"{scope.principal.id} may not do this: it needs the permission {permission}")


def sees(scope: Scope, kind: Kind, record: Record) -> bool:
    """Whether a scope's principal may see a thing: of a private kind, only its own."""
    return not kind.private or scope.everywhere or record.owner == scope.principal.id


def scope_of(kind: Kind, scope: Scope) -> Scope:
    """Where the things of a kind are, for who is in a scope: what belongs to the platform is in none of the tenants."""
    return scope if kind.scope == "tenant" or scope.everywhere else replace(scope, tenant=PLATFORM)


async def watch(
    services: Services, scope: Scope, kinds: Sequence[Kind], *, label_selector: str = "", since: int | None = None
) -> AsyncIterator[Change[Any] | Synced]:
    """Changes of several kinds in commit order; without ``since``, what is there comes first, then `Synced`."""
    labels = parse_selector(label_selector, field="labelSelector")
    by_name = {kind.kind: kind for kind in kinds}
    if since is None:
        since = await services.store.version()
        for kind in kinds:
            page = await services.store.read(scope_of(kind, scope)).list(kind.kind, Query(labels=labels))
            for record in page.items:
                if not sees(scope, kind, record):
                    continue
                yield Change("ADDED", record.resource_version, documents.to_model(kind, record))
    yield Synced(since)
    while True:
        newest = await services.store.version()
        changes = await _changes(services.store, scope, kinds, since, newest)
        for change in changes:
            since = change.version
            record = change.object
            if not sees(scope, by_name[record.kind], record):
                continue
            verb = change.verb if matches(record.labels, labels) else "DELETED"
            if verb == "DELETED" and change.verb == "ADDED":
                continue
            yield Change(verb, change.version, documents.to_model(by_name[record.kind], record))
        if not changes:  # what was committed up to `newest` concerned others
            since = max(since, newest)
            await services.store.wait_changed(since, _POLL)


async def _changes(store: Store, scope: Scope, kinds: Sequence[Kind], since: int, newest: int) -> list[Change[Record]]:
    """What follows ``since`` in order, also where the kinds are not all in one scope: then nothing after ``newest``,
    for one part may be read before it is committed, and another one after.
    """
    names: dict[Scope, list[str]] = {}
    for kind in kinds:
        names.setdefault(scope_of(kind, scope), []).append(kind.kind)
    parts = [await store.changes(each, since, kinds=tuple(those), limit=_BATCH) for each, those in names.items()]
    if len(parts) == 1:
        return parts[0]
    upto = min([newest, *(part[-1].version for part in parts if len(part) == _BATCH)])
    found = [change for part in parts for change in part if change.version <= upto]
    return sorted(found, key=lambda change: change.version)
